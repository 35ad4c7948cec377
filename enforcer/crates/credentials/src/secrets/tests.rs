use std::os::unix::fs::PermissionsExt as _;

use super::*;

fn file(folder: &Path, mode: u32, content: &[u8]) -> Source {
    let path = folder.join("secret");
    std::fs::write(&path, content).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    Source::File(path)
}

fn load(source: &Source) -> Result<Secrets, SecretError> {
    Secrets::load([("hook", source)], |key| {
        (key == "HOOK_SECRET").then(|| "from the environment".into())
    })
}

#[test]
fn a_secret_comes_from_a_file_or_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    for content in [&b"from a file"[..], b"from a file\n"] {
        let secrets = load(&file(folder.path(), 0o600, content)).unwrap();
        assert_eq!(secrets.of("hook").unwrap().expose(), b"from a file");
        assert!(secrets.of("other").is_none());
    }
    let secrets = load(&Source::Environment("HOOK_SECRET".into())).unwrap();
    assert_eq!(
        secrets.of("hook").unwrap().expose(),
        b"from the environment"
    );
}

#[test]
fn a_secret_that_others_can_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for mode in [0o640, 0o604, 0o620] {
        let error = load(&file(folder.path(), mode, b"hunter2")).unwrap_err();
        assert!(matches!(error, SecretError::Mode { .. }), "{error}");
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
}

#[test]
fn what_is_no_secret_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let table = [
        (file(folder.path(), 0o600, b"\n"), "`hook` is empty"),
        (
            Source::Environment("UNSET".into()),
            "`UNSET`, which is not set",
        ),
        (
            Source::File("/nowhere/at/all".into()),
            "`/nowhere/at/all`: No such file",
        ),
    ];
    for (source, expected) in table {
        let error = load(&source).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    let long = file(folder.path(), 0o600, &vec![b'x'; MAX_LENGTH + 2]);
    assert!(matches!(load(&long), Err(SecretError::Length { .. })));
}

#[test]
fn debugging_shows_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let secrets = load(&file(folder.path(), 0o600, b"hunter2")).unwrap();
    assert!(!format!("{secrets:?}").contains("hunter2"));
}

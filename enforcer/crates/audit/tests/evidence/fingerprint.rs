//! The fingerprint key on the disk.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::thread;

use enforcer_audit::{FingerprintError, Fingerprinter};
use enforcer_flow::Secret;
use tempfile::TempDir;

const SECRET: &[u8] = b"Bearer sk-proj-0123456789";

fn shown(fingerprinter: &Fingerprinter, kind: &'static str, value: &[u8]) -> String {
    fingerprinter.fingerprint(kind, value).to_string()
}

#[test]
fn a_fingerprint_is_the_start_of_an_hmac_over_kind_and_value() {
    // HMAC-SHA-256 with key 00 01 … 1f over "cookie", a zero byte and "a=b", as Python's hmac module computes it.
    let key = Secret::new(std::array::from_fn(|at| u8::try_from(at).unwrap()));
    let shown = shown(&Fingerprinter::from_key(&key), "cookie", b"a=b");
    assert_eq!(shown, "cookie:hmac-sha256:61cc1cdcdf395452");
}

#[test]
fn the_same_credential_has_the_same_fingerprint_over_restarts() {
    let folder = TempDir::new().unwrap();
    let first = Fingerprinter::open(folder.path()).unwrap();
    let again = Fingerprinter::open(folder.path()).unwrap();
    let before = shown(&first, "authorization", SECRET);
    assert_eq!(before, shown(&again, "authorization", SECRET));
    assert_ne!(before, shown(&again, "authorization", &SECRET[1..]));
    assert_ne!(
        shown(&again, "cookie", SECRET)["cookie".len()..],
        before["authorization".len()..]
    );
}

#[test]
fn two_hosts_cannot_compare_fingerprints() {
    let folders = [TempDir::new().unwrap(), TempDir::new().unwrap()];
    let [one, two] = folders.map(|f| Fingerprinter::open(f.path()).unwrap());
    assert_ne!(shown(&one, "cookie", SECRET), shown(&two, "cookie", SECRET));
}

#[test]
fn the_key_is_for_its_owner_only_and_leaves_no_draft() {
    let folder = TempDir::new().unwrap();
    Fingerprinter::open(folder.path()).unwrap();
    let files: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(files.len(), 1);
    let file = files[0].as_ref().unwrap().metadata().unwrap();
    assert_eq!(file.permissions().mode() & 0o777, 0o600);
    assert_eq!(file.len(), 32);
}

#[test]
fn many_first_uses_at_once_agree_on_one_key() {
    let folder = TempDir::new().unwrap();
    let shown: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..16)
            .map(|_| {
                scope.spawn(|| {
                    let fingerprinter = Fingerprinter::open(folder.path()).unwrap();
                    shown(&fingerprinter, "cookie", SECRET)
                })
            })
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    assert!(shown.iter().all(|s| *s == shown[0]), "{shown:?}");
}

#[test]
fn a_key_that_others_can_read_or_of_a_wrong_length_is_refused() {
    let folder = TempDir::new().unwrap();
    Fingerprinter::open(folder.path()).unwrap();
    let path = folder.path().join("fingerprint.key");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(
        Fingerprinter::open(folder.path()),
        Err(FingerprintError::Mode { mode: 0o640, .. })
    ));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&path, [7; 31]).unwrap();
    assert!(matches!(
        Fingerprinter::open(folder.path()),
        Err(FingerprintError::Length { found: 31, .. })
    ));
}

#[test]
fn a_folder_that_is_not_there_is_an_error() {
    let folder = TempDir::new().unwrap();
    let missing = folder.path().join("missing");
    assert!(Fingerprinter::open(&missing).is_err());
}

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use super::*;

/// Names the folder to a process that is going to be killed.
const DOOMED: &str = "ENFORCER_SPILL_TEST_FOLDER";

fn body(length: usize) -> Vec<u8> {
    let line = b"card 4111 1111 1111 1111, ";
    line.iter().copied().cycle().take(length).collect()
}

fn spilled(folder: &Path, body: &[u8], step: usize) -> Spilled {
    let mut filling = Spill::new(folder).begin().unwrap();
    body.chunks(step)
        .for_each(|part| filling.push(part).unwrap());
    filling.finish().unwrap()
}

fn on_disk(file: &File) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(file.metadata().unwrap().len()).unwrap()];
    file.read_exact_at(&mut bytes, 0).unwrap();
    bytes
}

fn is_empty(folder: &Path) -> bool {
    folder.read_dir().unwrap().next().is_none()
}

#[test]
fn a_body_comes_back_as_it_went_however_it_came() {
    let folder = tempfile::tempdir().unwrap();
    for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 7] {
        let body = body(length);
        for step in [1021, CHUNK, CHUNK + 3, 10 * CHUNK] {
            let spilled = spilled(folder.path(), &body, step);
            assert_eq!(spilled.length(), length as u64);
            assert!(spilled.read().unwrap() == body, "{length} by {step}");
            let behind = (length / CHUNK) as u64 + 1;
            assert!(spilled.chunk(behind).unwrap().is_empty());
            assert!(spilled.chunk(u64::MAX).unwrap().is_empty());
        }
    }
}

#[test]
fn what_waits_on_disk_has_no_name_and_cannot_be_read_there() {
    let folder = tempfile::tempdir().unwrap();
    let body = body(3 * CHUNK);
    let (one, two) = (
        spilled(folder.path(), &body, CHUNK),
        spilled(folder.path(), &body, CHUNK),
    );
    assert!(is_empty(folder.path()));
    let (first, second) = (on_disk(&one.file), on_disk(&two.file));
    assert_eq!(first.len(), 3 * (CHUNK + SEAL));
    for word in [&b"card"[..], b"4111 1111"] {
        assert!(!first.windows(word.len()).any(|window| window == word));
    }
    // The same body under other keys, and its like chunks under other nonces.
    assert!(first[..CHUNK] != second[..CHUNK]);
    assert!(first[..CHUNK] != first[CHUNK + SEAL..][..CHUNK]);
}

#[test]
fn what_was_changed_on_disk_is_not_given_back() {
    let folder = tempfile::tempdir().unwrap();
    let spilled = spilled(folder.path(), &body(2 * CHUNK), CHUNK);
    let written = on_disk(&spilled.file);
    let chunk = |number| (number * (CHUNK + SEAL)) as u64;
    let swapped = &written[CHUNK + SEAL..];
    spilled.file.write_all_at(swapped, chunk(0)).unwrap();
    assert!(matches!(spilled.chunk(0), Err(SpillError::Changed)));
    assert!(spilled.chunk(1).is_ok());
    spilled
        .file
        .write_all_at(&[!written[CHUNK + SEAL]], chunk(1))
        .unwrap();
    assert!(matches!(spilled.chunk(1), Err(SpillError::Changed)));
    spilled.file.set_len(10).unwrap();
    assert!(matches!(spilled.chunk(1), Err(SpillError::Read(_))));
}

#[test]
fn where_no_file_can_be_made_no_body_waits() {
    let folder = tempfile::tempdir().unwrap();
    let taken = folder.path().join("taken");
    std::fs::write(&taken, "").unwrap();
    let error = Spill::new(&taken).begin().unwrap_err();
    assert!(error.to_string().ends_with("taken`"), "{error}");
}

#[test]
fn nothing_of_a_body_is_left_when_its_process_is_killed() {
    if let Some(folder) = std::env::var_os(DOOMED) {
        let mut filling = Spill::new(Path::new(&folder)).begin().unwrap();
        filling.push(&body(5 * CHUNK)).unwrap();
        println!("written");
        loop {
            std::thread::park();
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let name = "tests::nothing_of_a_body_is_left_when_its_process_is_killed";
    let mut doomed = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(DOOMED, folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let said = BufReader::new(doomed.stdout.take().unwrap()).lines();
    let written = said
        .map_while(Result::ok)
        .any(|line| line.ends_with("written"));
    let before = is_empty(folder.path());
    doomed.kill().unwrap();
    doomed.wait().unwrap();
    assert!(written && before && is_empty(folder.path()));
}

//! Rotation, interrupted rotation, and what the verifiers say of a series.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use enforcer_audit::{Config, Ledger, Problem};

use super::{Place, append, eventually};

/// A ledger of at least three full parts and an active file.
fn long() -> Place {
    let place = Place::new();
    let config = Config {
        rotate_at: 4_000,
        flush_every: std::time::Duration::ZERO,
        ..Config::at(place.path())
    };
    let ledger = Ledger::open(config).unwrap();
    let mut number = 0;
    eventually("three rotations", || {
        number += 1;
        append(&ledger, &format!("{number:08}"));
        place.beside("000003").exists()
    });
    append(&ledger, "the end");
    place
}

fn parts(place: &Place) -> Vec<PathBuf> {
    let files = fs::read_dir(place.folder.path()).unwrap();
    let mut parts: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    parts.retain(|path| *path != place.path());
    parts.sort();
    parts.push(place.path());
    parts
}

fn python(files: &[PathBuf]) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/verify_ledger.py");
    Command::new("python3")
        .arg(script)
        .args(files)
        .output()
        .unwrap()
}

#[test]
fn full_files_are_numbered_and_the_chain_goes_through_them() {
    let place = long();
    let report = place.sound();
    assert!(report.files >= 4);
    assert_eq!((report.first_part, report.first_line), (1, 1));
    let first = &place.lines()[0];
    assert_eq!(first["event"], "ledger_opened");
    assert_eq!(first["part"], report.files);
    let before = format!("audit.jsonl.{:06}", report.files - 1);
    assert_eq!(first["previous_file"], before);
    assert_eq!(
        Some(first["ledger"].as_str().unwrap()),
        report.ledger.as_deref()
    );
}

#[test]
fn a_restart_goes_on_in_the_active_file() {
    let place = long();
    let before = place.sound();
    append(&place.open(), "after");
    let after = place.sound();
    assert_eq!(after.files, before.files);
    assert_eq!(after.lines, before.lines + 1);
}

#[test]
fn twenty_lines_of_python_agree_with_us() {
    let place = long();
    let agreed = python(&parts(&place));
    assert!(agreed.status.success(), "{agreed:?}");
    let head = place.sound().head.unwrap().to_string();
    assert_eq!(String::from_utf8(agreed.stdout).unwrap().trim(), head);

    let mut bytes = fs::read(place.beside("000002")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(place.beside("000002"), bytes).unwrap();
    assert!(!python(&parts(&place)).status.success());
    let finding = place.verify().finding.unwrap();
    assert_eq!(finding.file, place.beside("000002"));
}

#[test]
fn a_missing_part_shows() {
    let place = long();
    fs::remove_file(place.beside("000002")).unwrap();
    let finding = place.verify().finding.unwrap();
    assert_eq!((finding.file, finding.line), (place.beside("000003"), 1));
    let missing = Problem::Part {
        expected: 2,
        found: 3,
    };
    assert_eq!(finding.problem, missing);
}

#[test]
fn archived_oldest_parts_are_said_to_be_absent() {
    let place = long();
    fs::remove_file(place.beside("000001")).unwrap();
    let report = place.sound();
    assert_eq!(report.first_part, 2);
    assert!(report.first_line > 1);
}

#[test]
fn lines_cut_off_the_end_of_a_full_part_show() {
    let place = long();
    let text = fs::read_to_string(place.beside("000001")).unwrap();
    let kept: Vec<_> = text.lines().collect();
    fs::write(
        place.beside("000001"),
        kept[..kept.len() - 1].join("\n") + "\n",
    )
    .unwrap();
    let finding = place.verify().finding.unwrap();
    assert_eq!(finding.problem, Problem::Unlinked);
    assert_eq!((finding.file, finding.line), (place.beside("000002"), 1));
}

#[test]
fn a_file_of_another_ledger_shows() {
    let place = long();
    let other = long();
    fs::copy(other.beside("000002"), place.beside("000002")).unwrap();
    let finding = place.verify().finding.unwrap();
    assert_eq!(finding.problem, Problem::OtherLedger);
}

#[test]
fn a_rotation_that_died_after_linking_is_undone() {
    let place = Place::with(&["a"]);
    fs::hard_link(place.path(), place.beside("000001")).unwrap();
    fs::write(place.beside("new"), "half a line").unwrap();
    append(&place.open(), "b");
    assert!(!place.beside("000001").exists());
    assert!(!place.beside("new").exists());
    assert_eq!(place.sound().lines, 3);
}

#[test]
fn a_series_without_its_active_file_goes_on_behind_its_last_part() {
    for empty in [false, true] {
        let place = Place::with(&["a"]);
        fs::rename(place.path(), place.beside("000001")).unwrap();
        if empty {
            fs::write(place.path(), "").unwrap();
        }
        append(&place.open(), "b");
        let report = place.sound();
        assert_eq!((report.files, report.lines), (2, 4));
    }
}

#[test]
fn a_torn_end_of_the_last_part_is_kept_aside_before_the_next_begins() {
    let place = Place::with(&["a"]);
    let mut bytes = place.bytes();
    bytes.extend(b"{\"seq\":3");
    fs::write(place.beside("000001"), bytes).unwrap();
    fs::remove_file(place.path()).unwrap();
    append(&place.open(), "b");
    assert_eq!(fs::read(place.beside("torn-1")).unwrap(), b"{\"seq\":3");
    assert_eq!(place.sound().recoveries, 1);
}

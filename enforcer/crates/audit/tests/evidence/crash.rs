//! What a crash leaves, and how the next start goes on.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::{Command, Stdio};

use enforcer_audit::{Config, Ledger, OpenError};

use super::{Place, append};

const CHILD: &str = "ENFORCER_AUDIT_TEST_LEDGER";

#[test]
fn a_write_torn_at_any_byte_is_kept_aside_and_reported() {
    let template = Place::with(&["a", "b"]);
    let whole = template.bytes();
    let unended = &whole[..whole.len() - 1];
    let start = unended.iter().rposition(|b| *b == b'\n').unwrap() + 1;
    for end in start + 1..whole.len() {
        let place = Place::new();
        fs::write(place.path(), &whole[..end]).unwrap();
        append(&place.open(), "c");
        let fragment = &whole[start..end];
        assert_eq!(fs::read(place.beside("torn-1")).unwrap(), fragment);
        let lines = place.lines();
        assert_eq!(lines.len(), 4, "opening, a, recovered, c");
        assert_eq!(lines[2]["event"], "ledger_recovered");
        assert_eq!(lines[2]["cause"], "torn_line");
        assert_eq!(lines[2]["torn_bytes"], fragment.len());
        assert_eq!(lines[2]["seq"], 3);
        assert_eq!(place.reasons(), ["a", "c"]);
        assert_eq!(place.sound().recoveries, 1);
    }
}

#[test]
fn a_first_line_torn_at_any_byte_begins_the_ledger_anew() {
    let whole = Place::with(&[]).bytes();
    for end in 1..whole.len() {
        let place = Place::new();
        fs::write(place.path(), &whole[..end]).unwrap();
        drop(place.open());
        assert_eq!(fs::read(place.beside("torn-1")).unwrap(), &whole[..end]);
        let events: Vec<_> = place.lines().iter().map(|l| l["event"].clone()).collect();
        assert_eq!(events, ["ledger_opened", "ledger_recovered"]);
        place.sound();
    }
}

#[test]
fn zeros_that_a_power_failure_left_are_kept_aside() {
    let place = Place::with(&["a"]);
    let mut bytes = place.bytes();
    bytes.extend([0; 4096]);
    fs::write(place.path(), bytes).unwrap();
    append(&place.open(), "b");
    assert_eq!(fs::read(place.beside("torn-1")).unwrap(), [0; 4096]);
    place.sound();
}

#[test]
fn evidence_of_an_earlier_crash_is_not_overwritten() {
    let place = Place::with(&["a"]);
    for round in 1..=3 {
        let mut bytes = place.bytes();
        bytes.extend(format!("half {round}").bytes());
        fs::write(place.path(), bytes).unwrap();
        drop(place.open());
        let kept = fs::read_to_string(place.beside(&format!("torn-{round}")));
        assert_eq!(kept.unwrap(), format!("half {round}"));
    }
    assert_eq!(place.sound().recoveries, 3);
}

fn check_corrupt(tamper: impl FnOnce(String) -> String) {
    let place = Place::with(&["a", "b"]);
    let tampered = tamper(String::from_utf8(place.bytes()).unwrap());
    fs::write(place.path(), &tampered).unwrap();
    match Ledger::open(Config::at(place.path())) {
        Err(OpenError::Corrupt { path, .. }) => assert_eq!(path, place.path()),
        other => panic!("{other:?}"),
    }
    assert_eq!(
        place.bytes(),
        tampered.as_bytes(),
        "evidence must stay as it is"
    );
    assert!(!place.beside("torn-1").exists());
}

#[test]
fn nothing_is_appended_to_a_file_that_does_not_end_in_a_sound_line() {
    check_corrupt(|text| text.replace("\"reason\":\"b\"", "\"reason\":\"c\""));
    check_corrupt(|text| text + "{}\n");
    check_corrupt(|text| text + "\n");
    check_corrupt(|text| text.lines().rev().collect::<Vec<_>>().join("\n") + "\n");
    check_corrupt(|text| text.replace("ledger_opened", "ledger_closed"));
    check_corrupt(|text| text.replace("\"format\":1", "\"format\":2"));
    check_corrupt(|_| String::from("some notes of somebody\nand more\nand a half"));
    check_corrupt(|text| text + &"x".repeat(3 << 20));
}

fn check_not_a_file(make: impl FnOnce(&Place)) {
    let place = Place::new();
    make(&place);
    match Ledger::open(Config::at(place.path())) {
        Err(OpenError::NotAFile { .. }) => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn only_a_regular_file_is_a_ledger() {
    check_not_a_file(|place| fs::create_dir(place.path()).unwrap());
    check_not_a_file(|place| {
        fs::write(place.beside("target"), "").unwrap();
        symlink(place.beside("target"), place.path()).unwrap();
    });
    check_not_a_file(|place| {
        let made = Command::new("mkfifo").arg(place.path()).status();
        assert!(made.unwrap().success());
    });
}

#[test]
fn what_the_ledger_makes_is_for_its_owner_only() {
    let place = Place::with(&["a"]);
    let mut bytes = place.bytes();
    bytes.push(b'{');
    fs::write(place.path(), bytes).unwrap();
    drop(place.open());
    for path in [place.path(), place.beside("torn-1")] {
        let mode = fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

/// The process that the next test kills; alone it does nothing.
#[test]
fn appends_until_killed() {
    let Some(path) = std::env::var_os(CHILD) else {
        return;
    };
    let ledger = Ledger::open(Config::at(path)).unwrap();
    loop {
        super::defer(&ledger, "deferred");
        println!("receipt {}", append(&ledger, "appended").sequence());
    }
}

#[test]
fn what_a_receipt_was_given_for_survives_a_killed_writer() {
    let place = Place::new();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["crash::appends_until_killed", "--exact", "--nocapture"])
        .env(CHILD, place.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut receipts = 0_u64;
    let mut last = 0_u64;
    for line in lines {
        let line = line.unwrap();
        let Some((_, number)) = line.split_once("receipt ") else {
            continue;
        };
        // The kill may cut the last number short; a prefix of it is smaller, so the claim stays true.
        last = last.max(number.parse().unwrap_or(0));
        receipts += 1;
        if receipts == 300 {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    assert!(receipts >= 300);
    drop(place.open());
    let report = place.sound();
    assert!(report.head.unwrap().sequence >= last);
}

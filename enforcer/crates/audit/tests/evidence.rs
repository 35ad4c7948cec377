//! The ledger on a real file system: what survives, what is refused, what a third party can check.

#![expect(
    clippy::unwrap_used,
    reason = "a fixture that cannot be made is a failed test"
)]

#[path = "evidence/crash.rs"]
mod crash;
#[path = "evidence/fingerprint.rs"]
mod fingerprint;
#[path = "evidence/series.rs"]
mod series;
#[path = "evidence/writers.rs"]
mod writers;

use std::fs;
use std::path::PathBuf;

use enforcer_audit::{Config, Durability, Entry, Ledger, Receipt, Report, Verifier};
use serde_json::Value;
use tempfile::TempDir;

/// A folder with a ledger in it.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("audit.jsonl")
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        self.folder.path().join(format!("audit.jsonl.{suffix}"))
    }

    fn open(&self) -> Ledger {
        Ledger::open(Config::at(self.path())).unwrap()
    }

    /// A ledger of these stop reasons, closed again.
    fn with(reasons: &[&str]) -> Self {
        let place = Self::new();
        let ledger = place.open();
        for reason in reasons {
            append(&ledger, reason);
        }
        place
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(self.path()).unwrap()
    }

    fn lines(&self) -> Vec<Value> {
        let text = String::from_utf8(self.bytes()).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    fn reasons(&self) -> Vec<String> {
        let lines = self.lines();
        let reasons = lines.iter().filter_map(|line| line["reason"].as_str());
        reasons.map(str::to_owned).collect()
    }

    fn verify(&self) -> Report {
        Verifier::new().verify(&self.path()).unwrap()
    }

    /// Asserts that the ledger is sound.
    fn sound(&self) -> Report {
        let report = self.verify();
        assert_eq!(report.finding, None);
        report
    }
}

fn append(ledger: &Ledger, reason: &str) -> Receipt {
    ledger.append(&Entry::EnforcerStopped { reason }).unwrap()
}

fn defer(ledger: &Ledger, reason: &str) {
    ledger.defer(&Entry::EnforcerStopped { reason });
}

/// Repeats `attempt` until it succeeds; what another thread or process does in the background comes in its own time.
fn eventually(what: &str, mut attempt: impl FnMut() -> bool) {
    let start = std::time::Instant::now();
    while !attempt() {
        assert!(start.elapsed().as_secs() < 20, "{what}: not within 20 s");
        std::thread::yield_now();
    }
}

#[test]
fn an_append_is_in_the_file_when_it_returns() {
    let place = Place::new();
    let ledger = place.open();
    assert_eq!(append(&ledger, "a").sequence(), 2);
    assert_eq!(place.reasons(), ["a"]);
    assert_eq!(append(&ledger, "b").sequence(), 3);
    assert_eq!(place.reasons(), ["a", "b"]);
}

#[test]
fn a_deferred_entry_keeps_its_place_before_the_next_append() {
    let place = Place::new();
    let ledger = place.open();
    defer(&ledger, "a");
    append(&ledger, "b");
    assert_eq!(place.reasons(), ["a", "b"]);
}

#[test]
fn a_deferred_entry_is_written_without_a_further_append() {
    let place = Place::new();
    let ledger = place.open();
    defer(&ledger, "a");
    eventually("the flusher", || place.reasons() == ["a"]);
    drop(ledger);
    place.sound();
}

#[test]
fn what_is_deferred_is_written_when_the_ledger_is_dropped() {
    let place = Place::new();
    let ledger = Ledger::open(Config {
        flush_every: std::time::Duration::from_secs(3_600),
        ..Config::at(place.path())
    });
    let ledger = ledger.unwrap();
    for _ in 0..100 {
        defer(&ledger, "a");
    }
    drop(ledger);
    assert_eq!(place.reasons().len(), 100);
    place.sound();
}

#[test]
fn a_ledger_that_syncs_every_entry_is_the_same_ledger() {
    let place = Place::new();
    let config = Config {
        durability: Durability::EveryEntry,
        ..Config::at(place.path())
    };
    let ledger = Ledger::open(config).unwrap();
    append(&ledger, "a");
    defer(&ledger, "b");
    drop(ledger);
    assert_eq!(place.sound().lines, 3);
}

#[test]
fn the_first_line_says_what_a_stranger_needs() {
    let place = Place::with(&[]);
    let opening = &place.lines()[0];
    assert_eq!(opening["event"], "ledger_opened");
    assert_eq!(opening["seq"], 1);
    assert_eq!(opening["part"], 1);
    assert_eq!(opening["format"], 1);
    assert_eq!(opening["previous_hash"], "0".repeat(64));
    assert_eq!(opening["version"], env!("CARGO_PKG_VERSION"));
    for told in ["ledger", "hash_rule", "canonical_form"] {
        assert!(opening[told].is_string(), "{told}");
    }
}

#[test]
fn times_and_numbers_go_forward() {
    let place = Place::with(&["a", "b", "c"]);
    let lines = place.lines();
    for (before, after) in lines.iter().zip(&lines[1..]) {
        assert_eq!(
            before["seq"].as_u64().unwrap() + 1,
            after["seq"].as_u64().unwrap()
        );
        assert!(before["time"].as_str() <= after["time"].as_str());
    }
}

#[test]
fn a_ledger_removed_from_under_its_writer_grants_nothing_more() {
    let place = Place::new();
    let ledger = place.open();
    append(&ledger, "a");
    fs::remove_file(place.path()).unwrap();
    assert!(ledger.flush().is_err());
    assert!(ledger.is_broken());
    let refused = ledger.append(&Entry::EnforcerStopped { reason: "b" });
    assert!(refused.is_err());
}

#[test]
fn a_ledger_cut_from_under_its_writer_is_noticed_in_the_background() {
    let place = Place::new();
    let ledger = place.open();
    append(&ledger, "a");
    fs::File::options()
        .write(true)
        .open(place.path())
        .unwrap()
        .set_len(10)
        .unwrap();
    eventually("the flusher", || ledger.is_broken());
    assert_eq!(place.bytes().len(), 10, "nothing is written behind a cut");
}

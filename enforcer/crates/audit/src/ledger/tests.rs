use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use super::*;
use crate::Verifier;

struct Fixture {
    folder: TempDir,
    ledger: Ledger,
}

impl Fixture {
    fn new(durability: Durability) -> Self {
        let folder = TempDir::new().unwrap();
        let config = Config {
            durability,
            ..Config::at(folder.path().join("audit.jsonl"))
        };
        let ledger = Ledger::open(config).unwrap();
        Self { folder, ledger }
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        self.folder.path().join(format!("audit.jsonl.{suffix}"))
    }

    fn append(&self) -> u64 {
        let entry = Entry::EnforcerStopped { reason: "x" };
        self.ledger.append(&entry).unwrap().sequence()
    }

    /// How many files and lines a sound ledger has.
    fn sound(&self) -> (u64, u64) {
        let report = Verifier::new().verify(self.ledger.path()).unwrap();
        assert_eq!(report.finding, None);
        assert_eq!(report.head, Some(self.ledger.head().unwrap()));
        (report.files, report.lines)
    }
}

const LAZY: Durability = Durability::Every(Duration::from_secs(3_600));

fn check_rotation(durability: Durability) {
    let fixture = Fixture::new(durability);
    assert_eq!(fixture.append(), 2);
    fixture
        .ledger
        .defer(&Entry::EnforcerStopped { reason: "y" });
    fixture.ledger.shared.rotate().unwrap();
    assert_eq!(fixture.append(), 5, "opening, x, y, opening, x");
    fixture.ledger.shared.rotate().unwrap();
    assert_eq!(fixture.sound(), (3, 6));
    assert!(!fixture.ledger.is_broken());
    let open = Ledger::open(Config::at(fixture.ledger.path()));
    assert!(
        matches!(open, Err(OpenError::Locked { .. })),
        "the next file is locked too"
    );
}

#[test]
fn a_rotation_takes_what_is_deferred_along_and_goes_on_counting() {
    check_rotation(LAZY);
    check_rotation(Durability::EveryEntry);
}

#[test]
fn a_rotation_that_fails_replaces_nothing_and_writing_goes_on() {
    let fixture = Fixture::new(LAZY);
    fs::write(fixture.beside("000001"), "evidence of somebody").unwrap();
    fixture.append();
    assert!(fixture.ledger.shared.rotate().is_err());
    assert!(!fixture.ledger.is_broken());
    assert!(!fixture.beside("new").exists());
    fixture.append();
    let stray = fs::read_to_string(fixture.beside("000001")).unwrap();
    assert_eq!(stray, "evidence of somebody");
    fs::remove_file(fixture.beside("000001")).unwrap();
    fixture.ledger.shared.rotate().unwrap();
    assert_eq!(fixture.sound(), (2, 4));
}

#[test]
fn a_ledger_whose_writer_panicked_grants_nothing_more() {
    let fixture = Fixture::new(LAZY);
    let shared = Arc::clone(&fixture.ledger.shared);
    let panicked = std::thread::spawn(move || {
        let _guard = shared.journal.lock().unwrap();
        panic!("half-way");
    });
    assert!(panicked.join().is_err());
    assert!(fixture.ledger.is_broken());
    let entry = Entry::EnforcerStopped { reason: "x" };
    assert!(matches!(
        fixture.ledger.append(&entry),
        Err(LedgerError::Stopped)
    ));
    fixture.ledger.defer(&entry);
    assert!(fixture.ledger.flush().is_err());
}

#[test]
fn a_head_reads_back_and_nothing_else_does() {
    let head = Fixture::new(LAZY).ledger.head().unwrap();
    assert_eq!(head.to_string().parse(), Ok(head));
    let shown = head.to_string();
    for bad in [
        "",
        "1",
        ":",
        "1:",
        &shown[1..],
        &shown[..shown.len() - 1],
        &shown.to_uppercase(),
    ] {
        assert_eq!(bad.parse::<Head>(), Err(HeadError), "`{bad}`");
    }
}

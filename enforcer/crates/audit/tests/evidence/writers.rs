//! Many threads, one writer; two processes, one ledger.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::thread;

use enforcer_audit::{Config, Ledger, OpenError};

use super::{Place, append, defer};

const CHILD: &str = "ENFORCER_AUDIT_TEST_HOLD";

#[test]
fn threads_share_one_chain_and_each_keeps_its_order() {
    const THREADS: usize = 8;
    const ROUNDS: usize = 400;
    let place = Place::new();
    let ledger = place.open();
    let receipts: Vec<u64> = thread::scope(|scope| {
        let ledger = &ledger;
        let threads: Vec<_> = (0..THREADS)
            .map(|name| {
                scope.spawn(move || {
                    let turn = |round| {
                        defer(ledger, &format!("{name} {round:04} deferred"));
                        append(ledger, &format!("{name} {round:04} then")).sequence()
                    };
                    (0..ROUNDS).map(turn).collect::<Vec<_>>()
                })
            })
            .collect();
        let joined = threads.into_iter().map(|thread| thread.join().unwrap());
        joined.flatten().collect()
    });
    drop(ledger);
    assert_eq!(place.sound().lines as usize, 2 * THREADS * ROUNDS + 1);
    let distinct: BTreeSet<_> = receipts.iter().collect();
    assert_eq!(distinct.len(), receipts.len(), "no receipt is given twice");
    let reasons = place.reasons();
    for name in 0..THREADS {
        let prefix = format!("{name} ");
        let own: Vec<_> = reasons.iter().filter(|r| r.starts_with(&prefix)).collect();
        assert_eq!(own.len(), 2 * ROUNDS);
        assert!(own.is_sorted());
    }
}

#[test]
fn a_receipt_names_the_line_it_was_given_for() {
    let place = Place::new();
    let ledger = place.open();
    defer(&ledger, "a");
    let receipt = append(&ledger, "b");
    let lines = place.lines();
    let line = lines.iter().find(|line| line["reason"] == "b").unwrap();
    assert_eq!(line["seq"], receipt.sequence());
}

fn assert_locked(place: &Place) {
    match Ledger::open(Config::at(place.path())) {
        Err(error @ OpenError::Locked { .. }) => {
            assert!(error.to_string().contains("another process"));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_second_writer_is_refused_until_the_first_is_gone() {
    let place = Place::new();
    let ledger = place.open();
    assert_locked(&place);
    drop(ledger);
    drop(place.open());
}

/// The other process of the next test; alone it does nothing.
#[test]
fn holds_a_ledger_until_told() {
    let Some(path) = std::env::var_os(CHILD) else {
        return;
    };
    let ledger = Ledger::open(Config::at(path)).unwrap();
    append(&ledger, "child");
    println!("\nopen");
    let mut told = String::new();
    std::io::stdin().read_line(&mut told).unwrap();
}

#[test]
fn a_second_process_is_refused_until_the_first_is_gone() {
    let place = Place::new();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "writers::holds_a_ledger_until_told",
            "--exact",
            "--nocapture",
        ])
        .env(CHILD, place.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == "open"));
    assert_locked(&place);
    child.stdin.take().unwrap().write_all(b"go\n").unwrap();
    assert!(child.wait().unwrap().success());
    append(&place.open(), "parent");
    assert_eq!(place.reasons(), ["child", "parent"]);
    place.sound();
}

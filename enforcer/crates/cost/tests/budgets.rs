//! Budgets over time, restarts and hostile hands.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use enforcer_cost::{BudgetError, Budgets, Charge, Clock, Key};

#[derive(Clone, Default)]
struct Hand(Arc<AtomicU64>);

impl Hand {
    fn at(seconds: u64) -> Self {
        let this = Self::default();
        this.set(seconds);
        this
    }

    fn set(&self, seconds: u64) {
        self.0.store(seconds, Ordering::Relaxed);
    }
}

impl Clock for Hand {
    fn now(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::Relaxed))
    }
}

fn open(path: &Path, clock: &Hand) -> Budgets {
    Budgets::open(path, Box::new(clock.clone())).unwrap()
}

fn charge(subject: &str, most: u64, amount: u64) -> Charge {
    let key = Key {
        limit: "policy/rule#0".to_owned(),
        subject: subject.to_owned(),
        window: Duration::from_secs(60),
    };
    Charge { key, most, amount }
}

/// What is left to wait, in seconds, when a charge is refused.
fn refused(budgets: &Budgets, charge: Charge) -> Option<u64> {
    match budgets.reserve(&[charge]).unwrap_err() {
        BudgetError::Beyond(beyond) => beyond.retry_after.map(|wait| wait.as_secs()),
        other => panic!("{other}"),
    }
}

#[test]
fn a_budget_is_spent_and_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Hand::at(1000);
    let budgets = open(&folder.path().join("budgets"), &clock);
    budgets.reserve(&[charge("a", 10, 6)]).map(drop).unwrap();
    clock.set(1030);
    budgets.reserve(&[charge("a", 10, 4)]).map(drop).unwrap();
    assert_eq!(refused(&budgets, charge("a", 10, 1)), Some(31));
    assert_eq!(refused(&budgets, charge("a", 10, 11)), None);
    // Another's budget is another's.
    budgets.reserve(&[charge("b", 10, 10)]).map(drop).unwrap();
    clock.set(1061);
    budgets.reserve(&[charge("a", 10, 6)]).map(drop).unwrap();
    assert_eq!(budgets.spent(&charge("a", 0, 0).key), 10);
}

#[test]
fn all_charges_are_taken_or_none() {
    let folder = tempfile::tempdir().unwrap();
    let budgets = open(&folder.path().join("budgets"), &Hand::at(1000));
    let both = [charge("a", 10, 5), charge("b", 10, 11)];
    assert!(budgets.reserve(&both).is_err());
    assert_eq!(budgets.spent(&both[0].key), 0);
    // Two charges to one sum count together.
    let twice = [charge("a", 10, 6), charge("a", 10, 6)];
    assert!(budgets.reserve(&twice).is_err());
    let twice = [charge("a", 10, 4), charge("a", 10, 6)];
    budgets.reserve(&twice).map(drop).unwrap();
    assert_eq!(budgets.spent(&twice[0].key), 10);
}

#[test]
fn what_it_really_was_replaces_what_was_reserved() {
    let folder = tempfile::tempdir().unwrap();
    let budgets = open(&folder.path().join("budgets"), &Hand::at(1000));
    let key = charge("a", 0, 0).key;
    for (actual, spent) in [(Some(2), 2), (None, 12), (Some(50), 62)] {
        let reservation = budgets.reserve(&[charge("a", 100, 10)]).unwrap();
        budgets.settle(reservation, &[actual]).unwrap();
        assert_eq!(budgets.spent(&key), spent);
    }
}

#[test]
fn a_restart_forgets_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("budgets");
    let clock = Hand::at(1000);
    let budgets = open(&path, &clock);
    let reservation = budgets.reserve(&[charge("a", 10, 9)]).unwrap();
    budgets.settle(reservation, &[Some(8)]).unwrap();
    // As after a kill: nothing is closed, and the next one opens the same file.
    std::mem::forget(budgets);
    let budgets = open(&path, &clock);
    assert_eq!(budgets.spent(&charge("a", 0, 0).key), 8);
    assert!(refused(&budgets, charge("a", 10, 3)).is_some());
    drop(budgets);
    clock.set(1100);
    assert_eq!(open(&path, &clock).spent(&charge("a", 0, 0).key), 0);
}

#[test]
fn the_database_is_for_its_owner_and_must_be_ours() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("budgets");
    drop(open(&path, &Hand::at(1000)));
    let mode = path.metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let strange = folder.path().join("strange");
    std::fs::write(
        &strange,
        "not a database, and long enough to be seen as none: ".repeat(20),
    )
    .unwrap();
    assert!(Budgets::open(&strange, Box::new(Hand::at(1000))).is_err());
    let nowhere = folder.path().join("missing/budgets");
    assert!(Budgets::open(&nowhere, Box::new(Hand::at(1000))).is_err());
}

#[test]
fn old_rows_go_away() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("budgets");
    let clock = Hand::at(0);
    let budgets = open(&path, &clock);
    for second in 0..2_000 {
        clock.set(second);
        budgets.reserve(&[charge("a", 1_000, 1)]).map(drop).unwrap();
    }
    let rows: i64 = rusqlite::Connection::open(&path)
        .unwrap()
        .query_row("SELECT count(*) FROM spent", [], |row| row.get(0))
        .unwrap();
    assert!(rows <= 130, "{rows}");
    assert!(budgets.spent(&charge("a", 0, 0).key) <= 61);
}

#[test]
fn budgets_of_several_processes_are_one() {
    let folder = tempfile::tempdir().unwrap();
    let (path, clock) = (folder.path().join("budgets"), Hand::at(1000));
    let (one, other) = (open(&path, &clock), open(&path, &clock));
    let held = one.reserve(&[charge("a", 10, 4)]).unwrap();
    other.reserve(&[charge("a", 10, 4)]).map(drop).unwrap();
    assert!(refused(&one, charge("a", 10, 4)).is_some());
    // What is given back by one is there for the other.
    one.settle(held, &[Some(1)]).unwrap();
    other.reserve(&[charge("a", 10, 4)]).map(drop).unwrap();
    assert!(!one.spend(&[charge("a", 10, 1)]).unwrap());
    assert!(one.spend(&[charge("a", 10, 1)]).unwrap());
    assert!(refused(&other, charge("a", 10, 1)).is_some());
}

#[test]
fn many_hands_never_spend_more_than_there_is() {
    let folder = tempfile::tempdir().unwrap();
    let (path, clock) = (folder.path().join("budgets"), Hand::at(1000));
    let hands: Vec<_> = (0..4)
        .map(|_| {
            let budgets = open(&path, &clock);
            std::thread::spawn(move || {
                let tries = (0..40).map(|_| budgets.reserve(&[charge("a", 50, 1)]));
                tries.filter(Result::is_ok).count()
            })
        })
        .collect();
    let granted: usize = hands.into_iter().map(|hand| hand.join().unwrap()).sum();
    assert_eq!(granted, 50);
}

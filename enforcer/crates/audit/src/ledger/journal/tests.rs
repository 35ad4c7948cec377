use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::Write as _;
use std::rc::Rc;

use proptest::prelude::*;

use super::*;
use crate::chain::{Digest, Sealed};
use crate::opening::Stamp;

/// What a store does at its next calls; when the script is over it works.
#[derive(Clone, Copy, Debug)]
enum Turn {
    Fail,
    Interrupt,
    /// Takes this share of what it is given, in 256ths.
    Short(u8),
    Work,
}

#[derive(Default)]
struct Disk {
    bytes: Vec<u8>,
    writes: VecDeque<Turn>,
    truncates: VecDeque<Turn>,
    syncs: VecDeque<Turn>,
    calls: usize,
    gone: bool,
}

#[derive(Clone, Default)]
struct Flaky(Rc<RefCell<Disk>>);

fn full() -> io::Error {
    io::Error::from_raw_os_error(28)
}

impl Store for Flaky {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut disk = self.0.borrow_mut();
        disk.calls += 1;
        let taken = match disk.writes.pop_front().unwrap_or(Turn::Work) {
            Turn::Fail => return Err(full()),
            Turn::Interrupt => return Err(io::ErrorKind::Interrupted.into()),
            Turn::Short(share) => bytes.len() * usize::from(share) / 256,
            Turn::Work => bytes.len(),
        };
        disk.bytes.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        let mut disk = self.0.borrow_mut();
        match disk.truncates.pop_front().unwrap_or(Turn::Work) {
            Turn::Work => {
                assert!(length <= disk.bytes.len() as u64, "a cut must not extend");
                disk.bytes.truncate(usize::try_from(length).unwrap());
                Ok(())
            }
            Turn::Fail | Turn::Interrupt | Turn::Short(_) => Err(full()),
        }
    }

    fn sync(&mut self) -> io::Result<()> {
        match self.0.borrow_mut().syncs.pop_front().unwrap_or(Turn::Work) {
            Turn::Work => Ok(()),
            Turn::Fail | Turn::Interrupt | Turn::Short(_) => Err(full()),
        }
    }

    fn length(&self) -> io::Result<Option<u64>> {
        let disk = self.0.borrow();
        Ok((!disk.gone).then_some(disk.bytes.len() as u64))
    }
}

const LAZY: Durability = Durability::Every(std::time::Duration::from_secs(1));

fn journal(durability: Durability) -> (Journal<Flaky>, Flaky) {
    let store = Flaky::default();
    let journal = Journal::new(store.clone(), Chain::START, 0, durability);
    (journal, store)
}

fn fields(name: usize) -> Vec<u8> {
    let mut fields = Vec::new();
    Object::resume(&mut fields).code("event", &format!("event-{name}"));
    fields
}

/// The events of a sound chain from its start.
fn events(bytes: &[u8]) -> Vec<String> {
    let Some(lines) = bytes.strip_suffix(b"\n") else {
        assert!(bytes.is_empty(), "a torn line");
        return Vec::new();
    };
    let mut previous = Digest::ZERO;
    let mut events = Vec::new();
    for line in lines.split(|byte| *byte == b'\n') {
        let sealed = Sealed::parse(line).unwrap();
        assert!(sealed.follows(&previous), "the chain is broken");
        previous = sealed.hash;
        let stamp = Stamp::parse(line).unwrap();
        assert_eq!(stamp.seq, events.len() as u64 + 1, "a gap");
        events.push(stamp.event);
    }
    events
}

fn on_disk(store: &Flaky) -> Vec<String> {
    events(&store.0.borrow().bytes)
}

#[test]
fn an_append_takes_everything_deferred_along_in_one_write() {
    let (mut journal, store) = journal(LAZY);
    journal.defer(&fields(1));
    journal.defer(&fields(2));
    assert_eq!(store.0.borrow().calls, 0, "a deferral must not write");
    assert_eq!(journal.append(&fields(3)).unwrap(), 3);
    assert_eq!(store.0.borrow().calls, 1);
    assert_eq!(on_disk(&store), ["event-1", "event-2", "event-3"]);
}

#[test]
fn deferred_lines_are_written_when_they_become_many() {
    let (mut journal, store) = journal(LAZY);
    for name in 0..1_000 {
        journal.defer(&fields(name));
    }
    assert!(store.0.borrow().calls > 0);
    assert!(journal.pending.len() < FLUSH_AT);
    journal.flush().unwrap();
    assert_eq!(on_disk(&store).len(), 1_000);
}

#[test]
fn a_failed_append_leaves_no_trace_and_the_next_reports_it() {
    let (mut journal, store) = journal(LAZY);
    journal.append(&fields(1)).unwrap();
    store.0.borrow_mut().writes.push_back(Turn::Fail);
    assert!(matches!(
        journal.append(&fields(2)),
        Err(LedgerError::Write(_))
    ));
    assert!(!journal.is_sound());
    assert_eq!(journal.append(&fields(3)).unwrap(), 3);
    assert!(journal.is_sound());
    assert_eq!(on_disk(&store), ["event-1", "ledger_recovered", "event-3"]);
    let bytes = store.0.borrow().bytes.clone();
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.contains(r#""cause":"write_failed","refused_entries":1,"lost_entries":0"#));
}

#[test]
fn a_line_cut_short_by_a_full_disk_is_taken_back() {
    let (mut journal, store) = journal(LAZY);
    journal.defer(&fields(1));
    journal.defer(&fields(2));
    let half = [Turn::Short(130), Turn::Fail];
    store.0.borrow_mut().writes.extend(half);
    journal.append(&fields(3)).unwrap_err();
    assert_eq!(on_disk(&store), ["event-1"], "whole lines stay");
    journal.append(&fields(4)).unwrap();
    assert_eq!(
        on_disk(&store),
        ["event-1", "event-2", "ledger_recovered", "event-4"]
    );
}

#[test]
fn a_cut_that_fails_is_made_up_for_before_the_next_write() {
    let (mut journal, store) = journal(LAZY);
    store
        .0
        .borrow_mut()
        .writes
        .extend([Turn::Short(100), Turn::Fail]);
    store
        .0
        .borrow_mut()
        .truncates
        .extend([Turn::Fail, Turn::Fail]);
    journal.append(&fields(1)).unwrap_err();
    assert!(!store.0.borrow().bytes.is_empty());
    assert!(
        journal.inspect().is_ok(),
        "our own overhang is not a disturbance"
    );
    journal.append(&fields(2)).unwrap_err();
    journal.append(&fields(3)).unwrap();
    assert_eq!(on_disk(&store), ["ledger_recovered", "event-3"]);
}

#[test]
fn an_interrupted_write_is_repeated() {
    let (mut journal, store) = journal(LAZY);
    store
        .0
        .borrow_mut()
        .writes
        .extend([Turn::Interrupt, Turn::Short(30), Turn::Interrupt]);
    journal.append(&fields(1)).unwrap();
    assert_eq!(on_disk(&store), ["event-1"]);
}

#[test]
fn a_store_that_takes_nothing_is_a_failure() {
    let (mut journal, store) = journal(LAZY);
    store.0.borrow_mut().writes.push_back(Turn::Short(0));
    assert!(journal.append(&fields(1)).is_err());
}

#[test]
fn a_broken_ledger_keeps_a_bounded_number_and_counts_the_rest() {
    let (mut journal, store) = journal(LAZY);
    store.0.borrow_mut().writes.push_back(Turn::Fail);
    journal.append(&fields(0)).unwrap_err();
    for name in 0..20_000 {
        journal.defer(&fields(name));
    }
    assert!(journal.pending.len() <= KEEP + 1_024);
    let kept = events(&journal.pending).len();
    journal.flush().unwrap();
    assert_eq!(on_disk(&store).len(), kept + 1);
    let bytes = store.0.borrow().bytes.clone();
    let lost = format!(r#""lost_entries":{}"#, 20_000 - kept);
    assert!(String::from_utf8(bytes).unwrap().contains(&lost));
}

#[test]
fn an_idle_broken_ledger_mends_itself_at_the_next_flush() {
    let (mut journal, store) = journal(LAZY);
    store.0.borrow_mut().writes.push_back(Turn::Fail);
    journal.append(&fields(1)).unwrap_err();
    journal.flush().unwrap();
    assert!(journal.is_sound());
    assert_eq!(on_disk(&store), ["ledger_recovered"]);
}

#[test]
fn an_entry_that_must_be_synced_and_is_not_is_taken_back() {
    let (mut journal, store) = journal(Durability::EveryEntry);
    journal.append(&fields(1)).unwrap();
    store.0.borrow_mut().syncs.push_back(Turn::Fail);
    assert!(matches!(
        journal.append(&fields(2)),
        Err(LedgerError::Sync(_))
    ));
    assert_eq!(on_disk(&store), ["event-1"]);
    journal.append(&fields(3)).unwrap();
    assert_eq!(on_disk(&store), ["event-1", "ledger_recovered", "event-3"]);
}

#[test]
fn a_failed_sync_in_the_background_stops_grants_until_one_succeeds() {
    let (mut journal, store) = journal(LAZY);
    journal.append(&fields(1)).unwrap();
    journal.sync_failed();
    store.0.borrow_mut().syncs.push_back(Turn::Fail);
    assert!(matches!(
        journal.append(&fields(2)),
        Err(LedgerError::Sync(_))
    ));
    journal.append(&fields(3)).unwrap();
    let bytes = store.0.borrow().bytes.clone();
    assert!(
        String::from_utf8(bytes)
            .unwrap()
            .contains(r#""cause":"sync_failed""#)
    );
}

fn check_disturbed(disturb: impl FnOnce(&mut Disk)) {
    let (mut journal, store) = journal(LAZY);
    journal.append(&fields(1)).unwrap();
    disturb(&mut store.0.borrow_mut());
    assert!(matches!(journal.inspect(), Err(LedgerError::Disturbed)));
    assert!(matches!(
        journal.append(&fields(2)),
        Err(LedgerError::Disturbed)
    ));
    assert!(matches!(journal.flush(), Err(LedgerError::Disturbed)));
    journal.defer(&fields(3));
    assert!(!journal.is_sound(), "there is no way back");
}

#[test]
fn a_file_that_somebody_cut_extended_or_removed_is_not_written_again() {
    check_disturbed(|disk| disk.bytes.truncate(10));
    check_disturbed(|disk| disk.bytes.push(b'\n'));
    check_disturbed(|disk| disk.gone = true);
}

/// A disk that is full for real.
struct DevFull(std::fs::File);

impl Store for DevFull {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.0.set_len(length)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn length(&self) -> io::Result<Option<u64>> {
        Ok(Some(0))
    }
}

#[test]
fn a_full_disk_grants_nothing() {
    let device = std::fs::OpenOptions::new().append(true).open("/dev/full");
    let store = DevFull(device.unwrap());
    let mut journal = Journal::new(store, Chain::START, 0, LAZY);
    match journal.append(&fields(1)) {
        Err(LedgerError::Write(error)) => assert_eq!(error.raw_os_error(), Some(28)),
        other => panic!("{other:?}"),
    }
    assert_eq!(journal.head().sequence, 0);
}

#[derive(Clone, Copy, Debug)]
enum Act {
    Append,
    Defer,
    Flush,
    SyncFails,
}

fn turn() -> impl Strategy<Value = Turn> {
    prop_oneof![
        Just(Turn::Fail),
        Just(Turn::Interrupt),
        any::<u8>().prop_map(Turn::Short),
        Just(Turn::Work),
    ]
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => Just(Act::Append),
        4 => Just(Act::Defer),
        1 => Just(Act::Flush),
        1 => Just(Act::SyncFails),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Whatever the disk does: what was granted is on it, in order, before `append` returns; what was refused is not;
    /// what was deferred comes in its place; and there is one chain without a gap.
    #[test]
    fn no_fault_of_the_disk_breaks_the_chain_or_grants_unrecorded(
        acts in prop::collection::vec(act(), 1..40),
        writes in prop::collection::vec(turn(), 0..40),
        truncates in prop::collection::vec(turn(), 0..10),
        syncs in prop::collection::vec(turn(), 0..10),
        each in any::<bool>(),
    ) {
        let (mut journal, store) = journal(if each { Durability::EveryEntry } else { LAZY });
        {
            let mut disk = store.0.borrow_mut();
            disk.writes.extend(writes);
            disk.truncates.extend(truncates);
            disk.syncs.extend(syncs);
        }
        let mut expected = Vec::new();
        for (name, act) in acts.into_iter().enumerate() {
            match act {
                Act::Append => if journal.append(&fields(name)).is_ok() {
                    expected.push(format!("event-{name}"));
                    let mut granted = on_disk(&store);
                    granted.retain(|event| event != "ledger_recovered");
                    prop_assert_eq!(&granted, &expected);
                },
                Act::Defer => {
                    journal.defer(&fields(name));
                    expected.push(format!("event-{name}"));
                }
                Act::Flush => drop(journal.flush()),
                Act::SyncFails => journal.sync_failed(),
            }
            prop_assert!(journal.inspect().is_ok());
        }
        {
            let mut disk = store.0.borrow_mut();
            disk.writes.clear();
            disk.truncates.clear();
            disk.syncs.clear();
        }
        journal.flush().unwrap();
        let mut written = on_disk(&store);
        written.retain(|event| event != "ledger_recovered");
        prop_assert_eq!(written, expected);
    }
}

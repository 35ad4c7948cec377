//! What a check found.

use std::collections::BTreeMap;

use super::Finding;
use crate::ledger::Head;
use crate::opening::Stamp;

/// How many events are counted apart.
const EVENTS: usize = 64;

/// What was checked, up to the first problem.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The ledger's id.
    pub ledger: Option<String>,
    /// How many files were looked at.
    pub files: u64,
    /// How many lines are sound.
    pub lines: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The first file's place in the series; above one, older parts are not there and were not checked.
    pub first_part: u64,
    /// The first line's number.
    pub first_line: u64,
    /// The first line's time.
    pub first_time: String,
    /// The last sound line's time.
    pub last_time: String,
    /// How many `ledger_recovered` lines there are among them: crashes and failed writes that were got over.
    pub recoveries: u64,
    /// How many lines there are of each event. A forged file may name any number of events: those beyond 64 are counted
    /// under `…`.
    pub events: BTreeMap<String, u64>,
    /// The last sound line. Noted elsewhere, it anchors all before it.
    pub head: Option<Head>,
    /// The first problem, if there is one.
    pub finding: Option<Finding>,
}

impl Report {
    pub(super) fn count(&mut self, bytes: usize, stamp: Stamp, head: Head) {
        if self.lines == 0 {
            self.first_line = stamp.seq;
            self.first_time.clone_from(&stamp.time);
        }
        self.lines += 1;
        self.bytes += bytes as u64;
        self.recoveries += u64::from(stamp.event == "ledger_recovered");
        self.last_time = stamp.time;
        self.count_event(stamp.event);
        self.head = Some(head);
    }

    fn count_event(&mut self, event: String) {
        let known = self.events.len() < EVENTS || self.events.contains_key(&event);
        let name = if known { event } else { String::from("…") };
        *self.events.entry(name).or_default() += 1;
    }
}

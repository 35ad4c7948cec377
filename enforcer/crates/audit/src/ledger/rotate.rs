//! From a full file to the next one.
//!
//! The next file is prepared whole under another name; then the full file gets its number as a second name, and the next
//! file takes the active name. At every moment the active name leads to a file that a chain can go on in.

use std::fs::{self, File};
use std::io::{self, Write as _};

use super::journal::Journal;
use super::part::{self, Creation, Part};
use crate::clock::Clock;
use crate::opening;
use crate::series::Series;

/// Moves a journal that is sound, with nothing pending, to the next file. Returns the full one.
pub(crate) fn rotate(journal: &mut Journal<Part>, series: &Series) -> io::Result<Part> {
    let full = journal.store();
    let name = series.part(full.number);
    let mut chain = journal.chain();
    let fields = opening::fields(&full.ledger, full.number + 1, name.file_name(), &chain.head);
    let next = (full.number + 1, full.ledger.clone());
    let mut line = Vec::new();
    chain.seal(Clock::new().now(), &fields, &mut line);
    let draft = prepare(series, &line)?;
    if let Err(error) = exchange(series, full.number) {
        // The full file stays the active one; its second name, if it got it, would shadow the next attempt.
        let _ = fs::remove_file(series.draft());
        return Err(error);
    }
    let part = Part::new(draft, next.0, next.1);
    Ok(journal.move_to(part, chain, line.len() as u64))
}

fn prepare(series: &Series, line: &[u8]) -> io::Result<File> {
    let path = series.draft();
    let mut draft = part::open_for_append(&path, Creation::Fresh)?;
    let written = part::try_lock(&draft).and_then(|_| draft.write_all(line));
    if let Err(error) = written {
        let _ = fs::remove_file(&path);
        return Err(error);
    }
    Ok(draft)
}

fn exchange(series: &Series, number: u64) -> io::Result<()> {
    let full = series.part(number);
    fs::hard_link(series.active(), &full)?;
    fs::rename(series.draft(), series.active()).inspect_err(|_| {
        let _ = fs::remove_file(&full);
    })
}

//! From a full file to the next one.
//!
//! The next file is prepared whole under another name; then the full file gets its number as a second name, and the next
//! file takes the active name. At every moment the active name leads to a file that a chain can go on in.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use super::journal::Journal;
use super::part::{self, Creation, Part};
use crate::clock::Clock;
use crate::opening;
use crate::series::Series;

/// Moves a journal that is sound, with nothing pending, to the next file. When it fails, the journal stays where it is.
pub(crate) fn rotate(journal: &mut Journal<Part>, series: &Series) -> io::Result<()> {
    let full = journal.store();
    let (number, ledger) = (full.number + 1, full.ledger.clone());
    let name = series.part(full.number);
    let mut chain = journal.chain();
    let fields = opening::fields(&ledger, number, name.file_name(), &chain.head);
    let mut line = Vec::new();
    chain.seal(Clock::new().now(), &fields, &mut line);
    let draft = prepare(series, &line)?;
    exchange(series, &name).inspect_err(|_| {
        let _ = fs::remove_file(series.draft());
    })?;
    let part = Part::new(draft, number, ledger);
    journal.move_to(part, chain, line.len() as u64);
    Ok(())
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

/// Neither step replaces a file that is evidence: linking fails if the name is taken, and the active file has two names
/// when one of them goes.
fn exchange(series: &Series, full: &Path) -> io::Result<()> {
    fs::hard_link(series.active(), full)?;
    fs::rename(series.draft(), series.active()).inspect_err(|_| {
        let _ = fs::remove_file(full);
    })
}

//! What stands behind the lock: the chain, the lines on their way, and what happens when a write fails.

use std::io;
use std::mem;

use super::{Durability, Head, LedgerError};
use crate::chain::Chain;
use crate::clock::Clock;
use crate::entry::Object;

/// Deferred lines beyond this are written without waiting for the flusher.
const FLUSH_AT: usize = 64 << 10;
/// How much a broken ledger keeps.
const KEEP: usize = 1 << 20;

/// Where lines go.
pub(crate) trait Store {
    /// `write(2)` at the end.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize>;
    /// `ftruncate(2)`.
    fn truncate(&mut self, length: u64) -> io::Result<()>;
    /// `fdatasync(2)`.
    fn sync(&mut self) -> io::Result<()>;
    /// The length, or none if the file is no longer where readers look for it.
    fn length(&self) -> io::Result<Option<u64>>;
}

/// The state of one writer.
pub(crate) struct Journal<S> {
    store: S,
    chain: Chain,
    clock: Clock,
    durability: Durability,
    /// Whole lines, chained, not yet with the kernel.
    pending: Vec<u8>,
    /// The length of the file's whole lines.
    length: u64,
    unsynced: bool,
    damage: Option<Damage>,
}

/// What happened since the ledger broke.
struct Damage {
    fault: Fault,
    /// Part of a line stands beyond `length`.
    overhang: bool,
    /// Entries that were deferred and could not be kept.
    lost: u64,
    /// Entries that were to be appended.
    refused: u64,
}

/// What broke the ledger, the worse the later.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    Write,
    Sync,
    /// Somebody else changed the file. There is no way back.
    Disturbed,
}

/// A state to go back to.
struct Mark {
    chain: Chain,
    pending: usize,
}

impl<S: Store> Journal<S> {
    pub(crate) fn new(store: S, chain: Chain, length: u64, durability: Durability) -> Self {
        Self {
            store,
            chain,
            clock: Clock::new(),
            durability,
            pending: Vec::with_capacity(FLUSH_AT),
            length,
            unsynced: false,
            damage: None,
        }
    }

    /// Writes a line of these fields now, with all that is pending before it.
    pub(crate) fn append(&mut self, fields: &[u8]) -> Result<u64, LedgerError> {
        let appended = self.mend().and_then(|()| {
            let mark = self.mark();
            let sequence = self.seal(fields);
            self.hand_over(mark).map(|()| sequence)
        });
        if let (Err(_), Some(damage)) = (&appended, &mut self.damage) {
            damage.refused += 1;
        }
        appended
    }

    /// Leaves a line of these fields to the next write.
    pub(crate) fn defer(&mut self, fields: &[u8]) {
        let full = self.pending.len() + fields.len() > KEEP;
        match &mut self.damage {
            Some(damage) if full || damage.fault == Fault::Disturbed => damage.lost += 1,
            Some(_) => {
                self.seal(fields);
            }
            None => {
                self.seal(fields);
                if self.pending.len() >= FLUSH_AT {
                    // A failure is remembered as damage; the lines stay pending.
                    let _ = self.hand_over(self.mark());
                }
            }
        }
    }

    /// Writes all that is pending; a broken ledger tries to mend itself.
    pub(crate) fn flush(&mut self) -> Result<(), LedgerError> {
        self.mend()?;
        if self.pending.is_empty() {
            return Ok(());
        }
        self.hand_over(self.mark())
    }

    /// Sees whether the file is as we left it.
    pub(crate) fn inspect(&mut self) -> Result<(), LedgerError> {
        let overhang = self.damage.as_ref().is_some_and(|d| d.overhang);
        match self.store.length() {
            Ok(Some(length)) if length == self.length || (overhang && length > self.length) => {
                Ok(())
            }
            Ok(_) => {
                self.damaged(Fault::Disturbed);
                Err(LedgerError::Disturbed)
            }
            Err(source) => {
                self.damaged(Fault::Write);
                Err(LedgerError::Write(source))
            }
        }
    }

    /// Notes that a sync in the background failed: what the kernel had taken may not reach the disk.
    pub(crate) fn sync_failed(&mut self) {
        self.damaged(Fault::Sync);
    }

    pub(crate) fn is_sound(&self) -> bool {
        self.damage.is_none()
    }

    /// Whether something was written since this was last asked.
    pub(crate) fn take_unsynced(&mut self) -> bool {
        mem::take(&mut self.unsynced)
    }

    pub(crate) fn head(&self) -> Head {
        Head {
            sequence: self.chain.next - 1,
            hash: self.chain.head,
        }
    }

    pub(crate) fn chain(&self) -> Chain {
        self.chain
    }

    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    pub(crate) fn store(&self) -> &S {
        &self.store
    }

    /// Goes on in another file, whose lines so far end in `chain`.
    pub(crate) fn move_to(&mut self, store: S, chain: Chain, length: u64) {
        self.store = store;
        self.chain = chain;
        self.length = length;
        self.unsynced = false;
    }

    fn seal(&mut self, fields: &[u8]) -> u64 {
        let time = self.clock.now();
        self.chain.seal(time, fields, &mut self.pending)
    }

    fn mark(&self) -> Mark {
        Mark {
            chain: self.chain,
            pending: self.pending.len(),
        }
    }

    /// Writes all that is pending, or goes back to `mark` and cuts the file back to its last whole line.
    fn hand_over(&mut self, mark: Mark) -> Result<(), LedgerError> {
        let (written, failure) = write_all(&mut self.store, &self.pending);
        let error = match (failure, self.durability) {
            (None, Durability::EveryEntry) => self.store.sync().err().map(LedgerError::Sync),
            (None, Durability::Every(_)) => None,
            (Some(source), _) => Some(LedgerError::Write(source)),
        };
        let Some(error) = error else {
            self.length += written as u64;
            self.pending.clear();
            self.unsynced |= self.durability != Durability::EveryEntry;
            return Ok(());
        };
        self.go_back(mark, written);
        self.damaged(match error {
            LedgerError::Sync(_) => Fault::Sync,
            LedgerError::Disturbed | LedgerError::Stopped | LedgerError::Write(_) => Fault::Write,
        });
        Err(error)
    }

    fn go_back(&mut self, mark: Mark, written: usize) {
        self.chain = mark.chain;
        self.pending.truncate(mark.pending);
        let whole = whole_lines(&self.pending, written);
        self.pending.drain(..whole);
        self.length += whole as u64;
        self.unsynced |= whole > 0;
        if written > whole && self.store.truncate(self.length).is_err() {
            self.damaged(Fault::Write).overhang = true;
        }
    }

    /// Makes a broken ledger sound again: cuts off what stands over, writes what was kept and a line that says so.
    fn mend(&mut self) -> Result<(), LedgerError> {
        let Some(damage) = &mut self.damage else {
            return Ok(());
        };
        if damage.overhang {
            self.store
                .truncate(self.length)
                .map_err(LedgerError::Write)?;
            damage.overhang = false;
        }
        match damage.fault {
            Fault::Disturbed => return Err(LedgerError::Disturbed),
            Fault::Sync => self.store.sync().map_err(LedgerError::Sync)?,
            Fault::Write => {}
        }
        let fields = damage.record();
        let mark = self.mark();
        self.seal(&fields);
        self.hand_over(mark)?;
        self.damage = None;
        self.pending.shrink_to(FLUSH_AT);
        Ok(())
    }

    fn damaged(&mut self, fault: Fault) -> &mut Damage {
        let damage = self.damage.get_or_insert(Damage {
            fault,
            overhang: false,
            lost: 0,
            refused: 0,
        });
        damage.fault = damage.fault.max(fault);
        damage
    }
}

// === impl Damage ===

impl Damage {
    /// The fields of the line that reports it.
    fn record(&self) -> Vec<u8> {
        let Self {
            fault,
            overhang: _,
            lost,
            refused,
        } = self;
        let mut fields = Vec::new();
        let mut line = Object::resume(&mut fields);
        line.code("event", "ledger_recovered");
        line.code(
            "cause",
            match fault {
                Fault::Disturbed => "disturbed",
                Fault::Sync => "sync_failed",
                Fault::Write => "write_failed",
            },
        );
        line.number("refused_entries", *refused);
        line.number("lost_entries", *lost);
        fields
    }
}

/// Writes until all is written or a write fails; usually that is one call. Says how much was written.
fn write_all(store: &mut impl Store, bytes: &[u8]) -> (usize, Option<io::Error>) {
    let mut written = 0;
    while written < bytes.len() {
        match store.write(&bytes[written..]) {
            Ok(0) => return (written, Some(io::ErrorKind::WriteZero.into())),
            Ok(count) => written += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (written, Some(error)),
        }
    }
    (written, None)
}

/// How many of the first `written` bytes belong to whole lines of `lines`.
fn whole_lines(lines: &[u8], written: usize) -> usize {
    let written = &lines[..written.min(lines.len())];
    memchr::memrchr(b'\n', written).map_or(0, |end| end + 1)
}

#[cfg(test)]
mod tests;

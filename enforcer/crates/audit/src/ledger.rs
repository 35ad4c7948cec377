//! The single writer of evidence.
//!
//! A ledger is a file of hash-chained lines (the rule stands in `chain.rs`) behind one lock. [`Ledger::append`] hands its
//! line to the kernel with one `write(2)` before it returns, so what it recorded survives a killed enforcer; what a power
//! failure may take is bounded by [`Durability`]. [`Ledger::defer`] chains a line in order and leaves it to the next write.
//! When a write fails the ledger is *broken*: nothing is granted, the file is cut back to its last whole line, and the first
//! write that succeeds again records that it was. A line that was refused leaves no trace in the chain, so no gap arises.
//!
//! The chain has no key. It shows accidents, and later edits to whoever noted a head ([`Ledger::head`]) before; it does not
//! show a forger who rewrites a whole file, nor lines cut off its end, to whoever did not. Deferred lines of the last
//! milliseconds are lost when the enforcer is killed.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::Duration;
use std::{fmt, io};

use enforcer_flow::ExchangeId;

use crate::Digest;
use crate::entry::{Entry, line};
use crate::series::Series;

mod flusher;
mod journal;
mod open;
mod part;
mod rotate;

#[cfg(test)]
mod tests;

use flusher::Bell;
use journal::Journal;
use part::Part;
pub(crate) use part::{is_at, read_from};

/// How a ledger is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The active file. Full files stand beside it.
    pub path: PathBuf,
    /// When lines reach the disk.
    pub durability: Durability,
    /// How long a deferred line waits at most before it is handed to the kernel.
    pub flush_every: Duration,
    /// The length at which a file is full and the next one begins.
    pub rotate_at: u64,
}

/// When lines reach the disk (`fdatasync(2)`); they reach the kernel at once in either case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// In the background, this often: a power failure may take the lines of that time.
    Every(Duration),
    /// Before each append returns: slow, and nothing is lost.
    EveryEntry,
}

/// The ledger. Shared by reference; dropping it writes what is deferred and syncs.
pub struct Ledger {
    shared: Arc<Shared>,
    flusher: Option<JoinHandle<()>>,
}

/// Proof that an entry is in the kernel's hands. Only [`Ledger::append`] makes one.
///
/// ```compile_fail
/// let forged = enforcer_audit::Receipt { sequence: 1, grants: None };
/// ```
///
/// ```compile_fail
/// fn twice(receipt: enforcer_audit::Receipt) -> (enforcer_audit::Receipt, enforcer_audit::Receipt) {
///     (receipt.clone(), receipt)
/// }
/// ```
#[derive(Debug, PartialEq, Eq)]
pub struct Receipt {
    sequence: u64,
    grants: Option<ExchangeId>,
}

/// The last line's number and hash: noted elsewhere, it anchors everything before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The number of the last line.
    pub sequence: u64,
    /// Its hash.
    pub hash: Digest,
}

/// A text that is not a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a head: a line number, a colon and 64 lower-case hex digits expected")]
pub struct HeadError;

/// Why an entry is not in the ledger.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// Somebody else wrote, cut, moved or removed the file; it must be verified and the enforcer restarted.
    #[error("the ledger's file was changed by somebody else")]
    Disturbed,
    /// An append panicked half-way, so the chain's state is not known.
    #[error("the ledger stopped in an earlier append")]
    Stopped,
    /// The disk did not take it.
    #[error("the ledger could not be synced")]
    Sync(#[source] io::Error),
    /// The kernel did not take it.
    #[error("the ledger could not be written")]
    Write(#[source] io::Error),
}

/// Why a ledger could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Its end is not the end of a chain. Nothing is appended to such a file: verify it and move it aside.
    #[error("`{}` does not end in a sound ledger line: {what}", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
    /// Another process writes it.
    #[error("`{}` is being written by another process", path.display())]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// It is a device, a pipe, a folder or a symbolic link.
    #[error("`{}` is not a regular file", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// The kernel refused.
    #[error("cannot open the ledger `{}`", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
}

pub(crate) struct Shared {
    series: Series,
    config: Config,
    journal: Mutex<Journal<Part>>,
    broken: AtomicBool,
    bell: Bell,
}

// === impl Config ===

impl Config {
    /// A ledger at `path`, synced every second, flushed every 20 ms, files of 256 MiB.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            durability: Durability::Every(Duration::from_secs(1)),
            flush_every: Duration::from_millis(20),
            rotate_at: 256 << 20,
        }
    }
}

// === impl Ledger ===

impl Ledger {
    /// Opens the ledger of `config.path`, or begins one; its folder must exist.
    ///
    /// The file is locked against other writers and its last line is checked. What a crash left of a line is moved to a
    /// file beside it and a `ledger_recovered` line says so.
    ///
    /// # Errors
    /// When the file cannot be opened or locked, or does not end in a sound line.
    pub fn open(config: Config) -> Result<Self, OpenError> {
        let series = Series::new(config.path.clone());
        let unusable = |source| OpenError::Unusable {
            path: config.path.clone(),
            source,
        };
        let opened = open::open(&series)?;
        let mut journal = Journal::new(opened.part, opened.chain, opened.length, config.durability);
        for fields in opened.records {
            // Failing here is failing to open: a ledger that cannot take its first line takes no other.
            journal.append(&fields).map_err(|error| match error {
                LedgerError::Sync(source) | LedgerError::Write(source) => unusable(source),
                LedgerError::Disturbed | LedgerError::Stopped => {
                    unusable(io::ErrorKind::Other.into())
                }
            })?;
        }
        part::sync_folder(series.folder()).map_err(unusable)?;
        let shared = Arc::new(Shared {
            series,
            config: config.clone(),
            journal: Mutex::new(journal),
            broken: AtomicBool::new(false),
            bell: Bell::default(),
        });
        let flusher = flusher::spawn(Arc::clone(&shared)).map_err(unusable)?;
        Ok(Self {
            shared,
            flusher: Some(flusher),
        })
    }

    /// Records an entry, together with everything deferred before it.
    ///
    /// # Errors
    /// When the kernel (or with [`Durability::EveryEntry`] the disk) did not take it. Then it is not in the ledger, and
    /// what it was to grant must not happen.
    pub fn append(&self, entry: &Entry<'_>) -> Result<Receipt, LedgerError> {
        let fields = fields(entry);
        let sequence = self.shared.with(|journal| journal.append(&fields))?;
        Ok(Receipt {
            sequence,
            grants: entry.grants(),
        })
    }

    /// Records an entry with the next write, at most [`Config::flush_every`] later. It neither fails nor waits for the
    /// disk. While the ledger is broken a bounded number of such entries is kept; the others are counted and the count is
    /// recorded.
    pub fn defer(&self, entry: &Entry<'_>) {
        let fields = fields(entry);
        // A ledger that stopped takes nothing any more; its callers learn it from `append`.
        let _ = self.shared.with(|journal| {
            journal.defer(&fields);
            Ok(())
        });
    }

    /// Hands everything deferred to the kernel now, and checks that nobody else changed the file.
    ///
    /// # Errors
    /// When the ledger is, or by this becomes, broken.
    pub fn flush(&self) -> Result<(), LedgerError> {
        self.shared.flush()
    }

    /// Whether the last write failed. Until a write succeeds again, nothing is granted.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.shared.broken.load(Ordering::Relaxed) || self.shared.journal.is_poisoned()
    }

    /// The last line's number and hash, deferred lines included.
    ///
    /// # Errors
    /// When an earlier append panicked.
    pub fn head(&self) -> Result<Head, LedgerError> {
        self.shared.with(|journal| Ok(journal.head()))
    }

    /// What tests of other modules here turn by hand instead of waiting for the flusher.
    #[cfg(test)]
    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// The active file.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.shared.series.active()
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        self.shared.bell.stop();
        if let Some(flusher) = self.flusher.take() {
            // A flusher that panicked left nothing to wait for; the lines are flushed below in any case.
            let _ = flusher.join();
        }
        self.shared.finish();
    }
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger")
            .field("path", &self.path())
            .field("broken", &self.is_broken())
            .finish_non_exhaustive()
    }
}

// === impl Receipt ===

impl Receipt {
    /// The entry's number in the ledger.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Whether the entry was the grant of this exchange.
    #[must_use]
    pub fn grants(&self, exchange: ExchangeId) -> bool {
        self.grants == Some(exchange)
    }
}

// === impl Head ===

impl FromStr for Head {
    type Err = HeadError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (sequence, hash) = text.split_once(':').ok_or(HeadError)?;
        Ok(Self {
            sequence: sequence.parse().map_err(|_| HeadError)?,
            hash: hash.parse().map_err(|_| HeadError)?,
        })
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sequence, hash } = self;
        write!(f, "{sequence}:{hash}")
    }
}

// === impl Shared ===

impl Shared {
    fn with<T>(
        &self,
        action: impl FnOnce(&mut Journal<Part>) -> Result<T, LedgerError>,
    ) -> Result<T, LedgerError> {
        let mut journal = self.lock()?;
        let result = action(&mut journal);
        self.broken.store(!journal.is_sound(), Ordering::Relaxed);
        result
    }

    fn lock(&self) -> Result<MutexGuard<'_, Journal<Part>>, LedgerError> {
        self.journal.lock().map_err(|_| LedgerError::Stopped)
    }

    fn flush(&self) -> Result<(), LedgerError> {
        self.with(|journal| {
            journal.inspect()?;
            journal.flush()
        })
    }

    /// Takes the file if something was written to it since the last time.
    fn unsynced(&self) -> Option<Arc<File>> {
        let mut journal = self.lock().ok()?;
        journal.take_unsynced().then(|| journal.store().file())
    }

    fn sync(&self) {
        let Some(file) = self.unsynced() else { return };
        if file.sync_data().is_err() {
            // Whoever appends next learns of it; a stopped ledger takes nothing anyway.
            let _ = self.with(|journal| {
                journal.sync_failed();
                Ok(())
            });
        }
    }

    fn finish(&self) {
        if let Err(error) = self.flush() {
            tracing::error!(%error, "the ledger was closed with entries unwritten");
        }
        self.sync();
    }
}

fn fields(entry: &Entry<'_>) -> Vec<u8> {
    let mut fields = Vec::with_capacity(1024);
    line::render(entry, &mut fields);
    fields
}

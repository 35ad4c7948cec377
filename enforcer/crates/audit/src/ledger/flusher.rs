//! The thread behind a ledger: writes what was deferred, syncs, rotates. Nothing on the grant path waits for it or wakes it.

use std::fs::File;
use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::part::sync_folder;
use super::{Durability, LedgerError, Shared, rotate};

/// The shortest time between two rounds.
const SHORTEST: Duration = Duration::from_millis(1);

/// Tells the thread to end.
#[derive(Default)]
pub(crate) struct Bell {
    stopped: Mutex<bool>,
    rung: Condvar,
}

/// What the thread remembers between two rounds.
struct Rounds {
    shared: Arc<Shared>,
    synced: Instant,
    rotate_at: u64,
    was_broken: bool,
}

/// Starts the thread.
pub(crate) fn spawn(shared: Arc<Shared>) -> io::Result<JoinHandle<()>> {
    let mut rounds = Rounds {
        synced: Instant::now(),
        rotate_at: shared.config.rotate_at,
        was_broken: false,
        shared,
    };
    thread::Builder::new()
        .name(String::from("audit-flush"))
        .spawn(move || {
            let pause = rounds.shared.config.flush_every.max(SHORTEST);
            while !rounds.shared.bell.wait(pause) {
                rounds.go();
            }
        })
}

// === impl Bell ===

impl Bell {
    pub(crate) fn stop(&self) {
        *self.stopped.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.rung.notify_all();
    }

    /// Waits for the end, or this long. Says whether the end came.
    fn wait(&self, pause: Duration) -> bool {
        let stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        let (stopped, _) = self
            .rung
            .wait_timeout_while(stopped, pause, |stopped| !*stopped)
            .unwrap_or_else(PoisonError::into_inner);
        *stopped
    }
}

// === impl Rounds ===

impl Rounds {
    fn go(&mut self) {
        let flushed = self.shared.flush();
        self.report(flushed);
        let due = match self.shared.config.durability {
            Durability::Every(pause) => self.synced.elapsed() >= pause,
            // Appends sync themselves; this covers the first line of a file.
            Durability::EveryEntry => true,
        };
        if due {
            self.shared.sync();
            self.synced = Instant::now();
        }
        self.rotate();
    }

    fn rotate(&mut self) {
        let shared = Arc::clone(&self.shared);
        let length = shared.with(|journal| Ok(journal.length()));
        if !length.is_ok_and(|length| length >= self.rotate_at) {
            return;
        }
        // Most of what is unsynced goes to the disk before the lock is taken, the rest while appends wait for it.
        shared.sync();
        match shared.rotate() {
            Ok(()) => self.rotate_at = shared.config.rotate_at,
            Err(error) => {
                tracing::warn!(%error, "the ledger's file is full and cannot be rotated; writing goes on in it");
                self.rotate_at += (shared.config.rotate_at / 8).max(1);
            }
        }
    }

    /// Operators hear of a break and of its end once.
    fn report(&mut self, flushed: Result<(), LedgerError>) {
        match (&flushed, self.was_broken) {
            (Err(error), false) => {
                let cause = std::error::Error::source(error).map(ToString::to_string);
                tracing::error!(%error, cause, "the ledger is broken: nothing is granted");
            }
            (Ok(()), true) => tracing::info!("the ledger is whole again"),
            (Ok(()), false) | (Err(_), true) => {}
        }
        self.was_broken = flushed.is_err();
    }
}

// === impl Shared ===

impl Shared {
    /// Goes on in a new file.
    pub(crate) fn rotate(&self) -> Result<(), LedgerError> {
        let each = self.config.durability == Durability::EveryEntry;
        let next = self.with(|journal| {
            journal.flush()?;
            // The full file is on the disk before the next one refers to it.
            if let Err(source) = journal.store().file().sync_data() {
                journal.sync_failed();
                return Err(LedgerError::Sync(source));
            }
            rotate::rotate(journal, &self.series).map_err(LedgerError::Write)?;
            let next = journal.store().file();
            if each && self.settle(&next).is_err() {
                journal.sync_failed();
            }
            Ok(next)
        })?;
        if !each && self.settle(&next).is_err() {
            self.with(|journal| {
                journal.sync_failed();
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Makes a new active file and the names in the folder survive a power failure.
    fn settle(&self, next: &File) -> io::Result<()> {
        next.sync_data()?;
        sync_folder(self.series.folder())
    }
}

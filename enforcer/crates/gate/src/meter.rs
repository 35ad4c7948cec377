//! Byte counts of one exchange.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

use enforcer_audit::Traffic;

/// Content bytes that passed in each direction. Shared by the two bodies of an exchange; the order between the two
/// counts does not matter, so relaxed atomics do.
#[derive(Debug, Default)]
pub struct Meter {
    up: AtomicU64,
    down: AtomicU64,
}

impl Meter {
    /// Counts bytes from the agent.
    pub fn add_up(&self, bytes: usize) {
        self.up.fetch_add(bytes as u64, Relaxed);
    }

    /// Counts bytes towards the agent.
    pub fn add_down(&self, bytes: usize) {
        self.down.fetch_add(bytes as u64, Relaxed);
    }

    /// Bytes from the agent so far.
    #[must_use]
    pub fn up(&self) -> u64 {
        self.up.load(Relaxed)
    }

    /// Bytes towards the agent so far.
    #[must_use]
    pub fn down(&self) -> u64 {
        self.down.load(Relaxed)
    }

    /// Takes another meter's counts in.
    pub(crate) fn add(&self, other: &Self) {
        self.up.fetch_add(other.up(), Relaxed);
        self.down.fetch_add(other.down(), Relaxed);
    }

    /// What the ledger says at an ending.
    pub(crate) fn traffic(&self, opened: Instant) -> Traffic {
        Traffic {
            bytes_up: self.up(),
            bytes_down: self.down(),
            duration: opened.elapsed(),
        }
    }
}

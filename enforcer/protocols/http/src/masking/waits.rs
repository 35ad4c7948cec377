//! How long texts of one answer have been held: so long at most, then they are judged as far as they came.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// All texts of an answer that are held.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waits(Arc<Mutex<Slots>>);

/// One text.
#[derive(Debug)]
pub(crate) struct Wait {
    waits: Waits,
    id: u64,
    /// How much of it has come.
    came: u64,
    /// What came before this was held when the clock was set, and some of it is.
    mark: Option<u64>,
}

#[derive(Debug, Default)]
struct Slots {
    next: u64,
    since: BTreeMap<u64, Instant>,
}

// === impl Waits ===

impl Waits {
    /// For one more text.
    pub(crate) fn wait(&self) -> Wait {
        let mut slots = self.slots();
        slots.next += 1;
        Wait {
            waits: self.clone(),
            id: slots.next,
            came: 0,
            mark: None,
        }
    }

    /// When something will have been held for so long, if anything is held. A clock runs for half of that, as what it was set
    /// for may have been held since the one before.
    pub(crate) fn due(&self, limit: Duration) -> Option<Instant> {
        let oldest = self.slots().since.values().min().copied()?;
        Some(oldest + limit / 2)
    }

    /// Sets all clocks anew, whatever is still held.
    pub(crate) fn again(&self) {
        let now = Instant::now();
        self.slots()
            .since
            .values_mut()
            .for_each(|since| *since = now);
    }

    fn slots(&self) -> MutexGuard<'_, Slots> {
        // Each change is made in one step.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Wait ===

impl Wait {
    /// So much more has come, and so much of all is held.
    pub(crate) fn told(&mut self, came: usize, held: usize) {
        self.came += came as u64;
        let gone = self.came.saturating_sub(held as u64);
        let waits_on = self.mark.is_some_and(|mark| gone < mark);
        if waits_on || (held == 0 && self.mark.is_none()) {
            return;
        }
        let mut slots = self.waits.slots();
        if held == 0 {
            self.mark = None;
            slots.since.remove(&self.id);
        } else {
            self.mark = Some(self.came);
            slots.since.insert(self.id, Instant::now());
        }
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        self.waits.slots().since.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(4);

    #[tokio::test(start_paused = true)]
    async fn what_is_held_longest_says_when() {
        let waits = Waits::default();
        let (mut one, mut two) = (waits.wait(), waits.wait());
        let start = Instant::now();
        one.told(10, 0);
        assert_eq!(waits.due(LIMIT), None);
        one.told(5, 3);
        tokio::time::advance(Duration::from_secs(1)).await;
        two.told(5, 5);
        assert_eq!(waits.due(LIMIT), Some(start + LIMIT / 2));
        // More of it comes, and what was held goes.
        one.told(5, 4);
        let later = Instant::now();
        assert_eq!(waits.due(LIMIT), Some(later + LIMIT / 2));
        one.told(1, 5);
        two.told(0, 0);
        assert_eq!(waits.due(LIMIT), Some(later + LIMIT / 2));
        tokio::time::advance(Duration::from_secs(1)).await;
        waits.again();
        assert_eq!(waits.due(LIMIT), Some(Instant::now() + LIMIT / 2));
        drop(one);
        assert_eq!(waits.due(LIMIT), None);
    }
}

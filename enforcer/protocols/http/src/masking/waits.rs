//! How long texts of one body or socket have been held. Those of answers are judged then as far as they came; a request of
//! which something is held for too long is refused.

use std::collections::BTreeMap;
use std::future::Future as _;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

/// All texts of an answer that are held.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waits(Arc<Mutex<Slots>>);

/// Tells when one of them has been held for long enough.
#[derive(Debug)]
pub(crate) struct Alarm {
    waits: Waits,
    /// From when a clock was set.
    after: Duration,
    sleep: Option<Pin<Box<Sleep>>>,
}

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

    /// Rings before anything has been held for longer than so long. A clock runs for half of that, as what it was set for may
    /// have been held since the one before.
    pub(crate) fn at_most(&self, limit: Duration) -> Alarm {
        self.alarm(limit / 2)
    }

    /// Rings when something has been held for at least so long, and before it was twice.
    pub(crate) fn at_least(&self, limit: Duration) -> Alarm {
        self.alarm(limit)
    }

    fn alarm(&self, after: Duration) -> Alarm {
        Alarm {
            waits: self.clone(),
            after,
            sleep: None,
        }
    }

    /// When the clock that was set first was set, if anything is held.
    fn oldest(&self) -> Option<Instant> {
        self.slots().since.values().min().copied()
    }

    /// Sets all clocks anew, whatever is still held.
    fn again(&self) {
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

// === impl Alarm ===

impl Alarm {
    /// Ready when it rings; if not, the task is woken when it does. While nothing is held it does not.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(oldest) = self.waits.oldest() else {
            return Poll::Pending;
        };
        let due = oldest + self.after;
        let sleep = self
            .sleep
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(due)));
        if sleep.deadline() != due {
            sleep.as_mut().reset(due);
        }
        sleep.as_mut().poll(cx)
    }

    /// Waits until it rings. Something may only be held, or go, while nobody waits.
    pub(crate) async fn rings(&mut self) {
        poll_fn(|cx| self.poll(cx)).await;
    }

    /// Sets all clocks anew, whatever is still held.
    pub(crate) fn again(&self) {
        self.waits.again();
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
        assert_eq!(waits.oldest(), None);
        one.told(5, 3);
        tokio::time::advance(Duration::from_secs(1)).await;
        two.told(5, 5);
        assert_eq!(waits.oldest(), Some(start));
        // More of it comes, and what was held goes.
        one.told(5, 4);
        let later = Instant::now();
        assert_eq!(waits.oldest(), Some(later));
        one.told(1, 5);
        two.told(0, 0);
        assert_eq!(waits.oldest(), Some(later));
        tokio::time::advance(Duration::from_secs(1)).await;
        waits.again();
        assert_eq!(waits.oldest(), Some(Instant::now()));
        drop(one);
        assert_eq!(waits.oldest(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn an_alarm_rings_in_time_and_again() {
        let waits = Waits::default();
        let mut wait = waits.wait();
        let (mut soon, mut late) = (waits.at_most(LIMIT), waits.at_least(LIMIT));
        let silent = tokio::time::timeout(LIMIT * 9, soon.rings()).await;
        assert!(silent.is_err(), "nothing is held");
        wait.told(3, 3);
        let start = Instant::now();
        soon.rings().await;
        assert_eq!(start.elapsed(), LIMIT / 2);
        late.rings().await;
        assert_eq!(start.elapsed(), LIMIT);
        late.again();
        late.rings().await;
        assert_eq!(start.elapsed(), LIMIT * 2);
    }
}

//! One sliding sum.

use std::collections::VecDeque;
use std::time::Duration;

/// In how many steps a window slides.
const STEPS: u64 = 60;

/// Amounts by the step in which they were spent, oldest first.
#[derive(Clone, Debug)]
pub(super) struct Window {
    length: u64,
    /// The length of a step, in milliseconds; never 0.
    grain: u64,
    steps: VecDeque<(u64, u64)>,
}

impl Window {
    pub(super) fn new(length: Duration) -> Self {
        let length = millis(length).max(1);
        Self {
            length,
            grain: length.div_ceil(STEPS),
            steps: VecDeque::new(),
        }
    }

    /// The step a moment belongs to.
    pub(super) fn step(&self, now: Duration) -> u64 {
        millis(now) / self.grain
    }

    /// The first step that is not wholly outside the window.
    fn first(&self, now: Duration) -> u64 {
        millis(now).saturating_sub(self.length) / self.grain
    }

    /// What was spent within the window. Steps that lie ahead, because the clock went back, count too.
    pub(super) fn spent(&self, now: Duration) -> u64 {
        let first = self.first(now);
        let within = self.steps.iter().filter(|(step, _)| *step >= first);
        within.fold(0, |sum: u64, (_, amount)| sum.saturating_add(*amount))
    }

    /// What was spent in a step.
    pub(super) fn at(&self, step: u64) -> u64 {
        let found = self.steps.iter().find(|(own, _)| *own == step);
        found.map_or(0, |(_, amount)| *amount)
    }

    /// Sets what was spent in a step, and forgets what is outside the window.
    pub(super) fn set(&mut self, step: u64, amount: u64, now: Duration) {
        let first = self.first(now);
        while self.steps.front().is_some_and(|(step, _)| *step < first) {
            self.steps.pop_front();
        }
        match self.steps.binary_search_by_key(&step, |(step, _)| *step) {
            Ok(at) => self.steps[at].1 = amount,
            Err(at) => self.steps.insert(at, (step, amount)),
        }
    }

    /// Takes over a step from an earlier run. One that lies ahead counts as spent now: the clock was wrong then.
    pub(super) fn restore(&mut self, step: u64, amount: u64, now: Duration) {
        let step = step.min(self.step(now));
        if step >= self.first(now) {
            let amount = self.at(step).saturating_add(amount);
            self.set(step, amount, now);
        }
    }

    /// How long until no more than `may_be` is spent.
    pub(super) fn until(&self, may_be: u64, now: Duration) -> Duration {
        let mut spent = self.spent(now);
        let first = self.first(now);
        for (step, amount) in self.steps.iter().filter(|(step, _)| *step >= first) {
            if spent <= may_be {
                break;
            }
            spent = spent.saturating_sub(*amount);
            if spent <= may_be {
                let gone = (step + 1) * self.grain + self.length;
                return Duration::from_millis(gone.saturating_sub(millis(now)));
            }
        }
        Duration::ZERO
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn what_was_spent_counts_until_its_step_has_left() {
        let mut window = Window::new(at(60));
        window.set(window.step(at(100)), 5, at(100));
        for (now, spent) in [(100, 5), (130, 5), (160, 5), (161, 0), (1000, 0)] {
            assert_eq!(window.spent(at(now)), spent, "{now}");
        }
    }

    #[test]
    fn the_time_to_wait_is_until_enough_has_left() {
        let mut window = Window::new(at(60));
        window.set(window.step(at(100)), 5, at(100));
        window.set(window.step(at(120)), 3, at(120));
        assert_eq!(window.until(8, at(130)), Duration::ZERO);
        assert_eq!(window.until(7, at(130)), at(31));
        assert_eq!(window.until(3, at(130)), at(31));
        assert_eq!(window.until(2, at(130)), at(51));
        assert_eq!(window.until(0, at(130)), at(51));
    }

    #[test]
    fn a_clock_that_went_back_forgets_nothing() {
        let mut window = Window::new(at(60));
        window.set(window.step(at(100)), 5, at(100));
        assert_eq!(window.spent(at(10)), 5);
        let mut restored = Window::new(at(60));
        restored.restore(window.step(at(100)), 5, at(10));
        assert_eq!((restored.spent(at(10)), restored.spent(at(71))), (5, 0));
    }

    proptest! {
        /// Whatever is spent when, the true sum of the last window is never more than what is counted.
        #[test]
        fn never_less_is_counted_than_was_spent(
            length in 1u64..5_000,
            spends in prop::collection::vec((0u64..10_000, 0u64..100), 1..40),
        ) {
            let mut spends = spends;
            spends.sort_unstable();
            let mut window = Window::new(Duration::from_millis(length));
            for (index, (when, amount)) in spends.iter().enumerate() {
                let now = Duration::from_millis(*when);
                let step = window.step(now);
                let sum = window.at(step) + amount;
                window.set(step, sum, now);
                let exact: u64 = spends[..=index]
                    .iter()
                    .filter(|(other, _)| other + length > *when)
                    .map(|(_, amount)| amount)
                    .sum();
                prop_assert!(window.spent(now) >= exact);
                prop_assert!(window.steps.len() <= 62);
                let free = now + window.until(0, now);
                prop_assert_eq!(window.spent(free), 0);
            }
        }
    }
}

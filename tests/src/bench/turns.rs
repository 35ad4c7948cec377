//! Two runs that share the time turn by turn: a microsecond is less than what a machine drifts by from one run to the next,
//! and what disturbs one of them disturbs its neighbour in time as well.

use std::{collections::BTreeMap, thread, time::Duration};

use anyhow::{Context, Result};
use rustix::{
    thread::{CpuSet, sched_getaffinity, sched_setaffinity},
    time::{ClockId, clock_gettime},
};
use serde::{Deserialize, Serialize};

use super::figure::Spread;

/// How long one of them has the turn.
const LENGTH: Duration = Duration::from_millis(20);

/// Which turns are a run's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Turns {
    /// All of them: it is alone.
    All,
    Even,
    Odd,
    /// The first of four, and the third; in the other two the listener takes in who came.
    First,
    Third,
}

/// The median of each turn, in microseconds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Medians(BTreeMap<u64, f64>);

// === impl Turns ===

impl Turns {
    /// Keeps this thread on the last core it may use: runs on different ones would not meet the same neighbours.
    pub(super) fn settle(self) -> Result<()> {
        if self == Self::All {
            return Ok(());
        }
        let allowed = sched_getaffinity(None).context("cannot ask for the cores")?;
        let last = (0..CpuSet::MAX_CPU)
            .rev()
            .find(|core| allowed.is_set(*core));
        let mut one = CpuSet::new();
        one.set(last.context("there is no core to run on")?);
        sched_setaffinity(None, &one).context("cannot stay on a core")
    }

    /// Returns when the turn is the run's own, with its number. All processes read the same clock, so nobody need be asked.
    pub(super) fn wait(self) -> u64 {
        loop {
            let turn = current();
            let number = match self {
                Self::All => Some(turn),
                Self::Even => turn.is_multiple_of(2).then_some(turn),
                Self::Odd => (turn % 2 == 1).then_some(turn),
                Self::First => turn.is_multiple_of(4).then_some(turn / 2),
                Self::Third => (turn % 4 == 2).then_some(turn / 2),
            };
            if let Some(number) = number {
                return number;
            }
            wait_for_next();
        }
    }
}

/// Whose turn it is, as a number.
pub(super) fn current() -> u64 {
    now().as_millis() as u64 / LENGTH.as_millis() as u64
}

/// Returns when the turn is over.
pub(super) fn wait_for_next() {
    let left = LENGTH.as_nanos() - now().as_nanos() % LENGTH.as_nanos();
    thread::sleep(Duration::from_nanos(left as u64));
}

fn now() -> Duration {
    Duration::try_from(clock_gettime(ClockId::Monotonic)).unwrap_or_default()
}

// === impl Medians ===

impl Medians {
    /// Of samples in microseconds, each with the number of its turn.
    pub(super) fn of(samples: impl Iterator<Item = (u64, f64)>) -> Self {
        let mut turns = BTreeMap::<u64, Vec<f64>>::new();
        for (turn, micros) in samples {
            turns.entry(turn).or_default().push(micros);
        }
        let median = |(turn, micros)| Some((turn, Spread::of(micros)?.median));
        Self(turns.into_iter().filter_map(median).collect())
    }

    /// What is added to the turns right before and after, in the median of all turns.
    pub(super) fn added_to(&self, other: &Self) -> Option<f64> {
        let Self(others) = other;
        let added = self.0.iter().filter_map(|(turn, own)| {
            let before = others.get(&turn.checked_sub(1)?)?;
            let after = others.get(&(turn + 1))?;
            Some(own - f64::midpoint(*before, *after))
        });
        Some(Spread::of(added.collect())?.median)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_is_compared_with_its_neighbours() {
        let medians = |samples: &[(u64, f64)]| Medians::of(samples.iter().copied());
        let direct = medians(&[(2, 10.0), (4, 20.0), (4, 20.0), (4, 90.0), (6, 20.0)]);
        let ours = medians(&[(1, 0.0), (3, 18.0), (5, 21.0), (7, 99.0)]);
        assert_eq!(direct, medians(&[(2, 10.0), (4, 20.0), (6, 20.0)]));
        // Three more than the mean of 10 and 20, and one more than 20; the first and the last have one neighbour only.
        assert_eq!(ours.added_to(&direct), Some(2.0));
        assert_eq!(ours.added_to(&ours), None);
    }

    #[test]
    fn a_run_acts_in_its_own_turns() {
        assert!(Turns::Even.wait().is_multiple_of(2));
        assert!(!Turns::Odd.wait().is_multiple_of(2));
        // Neighbours among those that are counted, though another lies between them.
        assert!(Turns::First.wait().is_multiple_of(2));
        assert!(!Turns::Third.wait().is_multiple_of(2));
    }
}

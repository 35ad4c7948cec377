//! Which findings of one workload are written, and the count of those that are not. Pure: the time is told.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

/// How long a repeat of a finding says nothing new: as long as its answer may be remembered.
const REPEAT: Duration = Duration::from_secs(crate::TTL as u64);

/// How many findings are remembered. Beyond that the oldest is forgotten early, and its repeat is written once more.
const REMEMBERED: usize = 4096;

/// One line every 20 ms in the long run, and 200 at once.
const PACE: Duration = Duration::from_millis(20);
const BURST: u32 = 200;

/// The kinds of line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    Answered,
    Refused,
}

/// What was written lately, and what was not.
#[derive(Debug)]
pub(super) struct Tally {
    bucket: Bucket,
    seen: Seen,
    answered: u64,
    refused: u64,
    since: Option<Instant>,
}

/// A token bucket, kept as the moment when it will be full again.
#[derive(Debug)]
struct Bucket {
    full_at: Instant,
}

/// The findings written within [`REPEAT`], oldest first.
#[derive(Debug, Default)]
struct Seen {
    written: HashMap<u64, Instant>,
    order: VecDeque<u64>,
}

// === impl Event ===

impl Event {
    /// The event's name in the ledger.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Answered => "name_answered",
            Self::Refused => "name_refused",
        }
    }
}

// === impl Tally ===

impl Tally {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            bucket: Bucket { full_at: now },
            seen: Seen::default(),
            answered: 0,
            refused: 0,
            since: None,
        }
    }

    /// Takes note of a finding; says whether it is to be written.
    pub(super) fn enter(&mut self, event: Event, mark: u64, now: Instant) -> bool {
        if self.seen.repeats(mark, now) {
            match event {
                Event::Answered => {}
                Event::Refused => self.leave_out(event, now),
            }
            return false;
        }
        if !self.bucket.take(now) {
            // Not remembered as written, so that its repeat still has a chance to be.
            self.leave_out(event, now);
            return false;
        }
        self.seen.insert(mark, now);
        true
    }

    /// Whether anything was left out and not taken yet.
    pub(super) fn waits(&self) -> bool {
        self.since.is_some()
    }

    /// How long the oldest count has been waiting.
    pub(super) fn waited(&self, now: Instant) -> Duration {
        self.since
            .map_or(Duration::ZERO, |since| now.saturating_duration_since(since))
    }

    /// The counts of what was left out. They begin anew.
    pub(super) fn take(&mut self) -> impl IntoIterator<Item = (Event, u64)> + use<> {
        self.since = None;
        let counts = [
            (Event::Answered, std::mem::take(&mut self.answered)),
            (Event::Refused, std::mem::take(&mut self.refused)),
        ];
        counts.into_iter().filter(|(_, count)| *count > 0)
    }

    fn leave_out(&mut self, event: Event, now: Instant) {
        match event {
            Event::Answered => self.answered += 1,
            Event::Refused => self.refused += 1,
        }
        self.since.get_or_insert(now);
    }
}

// === impl Bucket ===

impl Bucket {
    fn take(&mut self, now: Instant) -> bool {
        let full_at = self.full_at.max(now) + PACE;
        if full_at.duration_since(now) > PACE * BURST {
            return false;
        }
        self.full_at = full_at;
        true
    }
}

// === impl Seen ===

impl Seen {
    fn repeats(&mut self, mark: u64, now: Instant) -> bool {
        self.written
            .get(&mark)
            .is_some_and(|at| now.saturating_duration_since(*at) < REPEAT)
    }

    fn insert(&mut self, mark: u64, now: Instant) {
        while let Some(&oldest) = self.order.front() {
            let fresh = self.written.get(&oldest).is_some_and(|at| {
                self.order.len() < REMEMBERED && now.saturating_duration_since(*at) < REPEAT
            });
            if fresh {
                break;
            }
            self.order.pop_front();
            self.written.remove(&oldest);
        }
        self.written.insert(mark, now);
        self.order.push_back(mark);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn counts(tally: &mut Tally) -> Vec<(Event, u64)> {
        tally.take().into_iter().collect()
    }

    #[test]
    fn a_repeated_grant_says_nothing() {
        let start = Instant::now();
        let mut tally = Tally::new(start);
        assert!(tally.enter(Event::Answered, 7, start));
        assert!(!tally.enter(Event::Answered, 7, start + REPEAT - SECOND));
        assert!(!tally.waits());
        assert!(tally.enter(Event::Answered, 7, start + REPEAT));
    }

    #[test]
    fn a_repeated_refusal_is_counted() {
        let start = Instant::now();
        let mut tally = Tally::new(start);
        assert!(tally.enter(Event::Refused, 7, start));
        for n in 1..=3 {
            assert!(!tally.enter(Event::Refused, 7, start + SECOND * n));
        }
        assert_eq!(tally.waited(start + SECOND * 11), SECOND * 10);
        assert_eq!(counts(&mut tally), [(Event::Refused, 3)]);
        assert!(!tally.waits());
        assert_eq!(counts(&mut tally), []);
    }

    #[test]
    fn a_burst_passes_and_then_one_line_at_a_time() {
        let start = Instant::now();
        let mut tally = Tally::new(start);
        let written = (0..1000).filter(|n| tally.enter(Event::Refused, *n, start));
        assert_eq!(written.count(), 200);
        let written = (1000..2000).filter(|n| tally.enter(Event::Refused, *n, start + SECOND));
        assert_eq!(written.count(), 50);
        assert_eq!(counts(&mut tally), [(Event::Refused, 800 + 950)]);
    }

    #[test]
    fn a_grant_that_was_held_back_is_written_when_it_repeats() {
        let start = Instant::now();
        let mut tally = Tally::new(start);
        for n in 0..u64::from(BURST) {
            assert!(tally.enter(Event::Refused, n, start));
        }
        assert!(!tally.enter(Event::Answered, 999, start));
        assert_eq!(counts(&mut tally), [(Event::Answered, 1)]);
        assert!(tally.enter(Event::Answered, 999, start + SECOND));
    }

    proptest! {
        /// Refusals are never lost: each is a line or counted; and what is remembered stays bounded.
        #[test]
        fn refusals_are_written_or_counted(marks in prop::collection::vec((0u64..5000, 0u64..50), 0..600)) {
            let mut now = Instant::now();
            let mut tally = Tally::new(now);
            let (mut written, mut counted) = (0, 0);
            for (mark, millis) in &marks {
                now += Duration::from_millis(*millis);
                written += u64::from(tally.enter(Event::Refused, *mark, now));
                if mark % 7 == 0 {
                    counted += tally.take().into_iter().map(|(_, count)| count).sum::<u64>();
                }
                prop_assert_eq!(tally.seen.written.len(), tally.seen.order.len());
                prop_assert!(tally.seen.order.len() <= REMEMBERED);
            }
            counted += tally.take().into_iter().map(|(_, count)| count).sum::<u64>();
            prop_assert_eq!(written + counted, marks.len() as u64);
        }
    }
}

//! When a run warms up, counts, and ends.

use std::time::{Duration, Instant};

use crate::bench::job::Job;

/// How long after its end a run waits for exchanges still on their way.
const GRACE: Duration = Duration::from_secs(5);

/// The measured window of one run; the same for all its threads.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    from: Instant,
    until: Instant,
}

impl Window {
    pub(super) fn opening_now(job: &Job) -> Self {
        let from = Instant::now() + Duration::from_millis(job.warmup_ms);
        Self {
            from,
            until: from + Duration::from_millis(job.measure_ms),
        }
    }

    /// Whether another exchange may begin.
    pub(super) fn is_open(self) -> bool {
        Instant::now() < self.until
    }

    /// Whether something that ended at `instant` counts.
    pub(super) fn counts(self, instant: Instant) -> bool {
        self.from <= instant && instant < self.until
    }

    /// When whatever has not ended is given up.
    pub(super) fn abandoned(self) -> Instant {
        self.until + GRACE
    }

    pub(super) fn seconds(self) -> f64 {
        (self.until - self.from).as_secs_f64()
    }
}

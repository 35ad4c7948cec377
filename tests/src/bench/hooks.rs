//! What the enforcer's kernel programs themselves take, as the kernel counts it: a figure that no neighbour disturbs.

use std::fs;

use anyhow::{Context, Result};
use serde::Serialize;

const SWITCH: &str = "/proc/sys/kernel/bpf_stats_enabled";

/// Counting is on while this value lives; it costs every program on the machine a little, so not longer than needed.
#[derive(Debug)]
pub(super) struct Counting {
    before: String,
}

impl Counting {
    /// Switches counting on.
    pub(super) fn start() -> Result<Self> {
        let before = fs::read_to_string(SWITCH).context("cannot read the switch")?;
        fs::write(SWITCH, "1").context("cannot count the time of kernel programs")?;
        Ok(Self { before })
    }
}

impl Drop for Counting {
    fn drop(&mut self) {
        // If it stays on, programs run a few nanoseconds longer.
        let _restored = fs::write(SWITCH, self.before.trim());
    }
}

/// `BPF_PROG_TYPE_CGROUP_SKB` of linux/bpf.h: of these the enforcer has one, the backstop.
const BACKSTOP: u64 = 8;

/// What the enforcer's programs take, without what counting them takes: two readings of a clock each time, some 50 ns on
/// virtual machines.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Taken {
    /// By all of them, for one exchange or connect.
    pub(super) micros: f64,
    /// By the backstop, for one packet.
    pub(super) backstop_nanos: f64,
    /// By counting, for one run of a program: what was taken off.
    pub(super) counting_nanos: f64,
}

/// What programs have done while counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Work {
    /// All of them, in nanoseconds.
    nanos: u64,
    /// How often they ran.
    runs: u64,
    /// The backstop alone.
    backstop_nanos: u64,
    /// Packets it saw.
    packets: u64,
}

impl Work {
    /// What the programs held open by `process` have done.
    pub(super) fn of(process: u32) -> Result<Self> {
        let descriptors = fs::read_dir(format!("/proc/{process}/fdinfo"))
            .context("cannot read the descriptors")?;
        let texts = descriptors
            .flatten()
            .filter_map(|entry| fs::read_to_string(entry.path()).ok());
        Ok(texts.fold(Self::default(), |work, text| work.and(&text)))
    }

    /// What was done after `before`.
    pub(super) fn since(self, before: Self) -> Self {
        Self {
            nanos: self.nanos - before.nanos,
            runs: self.runs - before.runs,
            backstop_nanos: self.backstop_nanos - before.backstop_nanos,
            packets: self.packets - before.packets,
        }
    }

    /// Time that the backstop takes for one packet, with what counting takes.
    fn nanos_per_packet(self) -> Option<f64> {
        (self.packets > 0).then(|| self.backstop_nanos as f64 / self.packets as f64)
    }

    /// With what one more descriptor says, if it is a program's.
    fn and(mut self, text: &str) -> Self {
        let number = |name| {
            let mut lines = text.lines();
            lines.find_map(|line| line.strip_prefix(name)?.trim().parse::<u64>().ok())
        };
        if let (Some(nanos), Some(runs)) = (number("run_time_ns:"), number("run_cnt:")) {
            self.nanos += nanos;
            self.runs += runs;
            if number("prog_type:") == Some(BACKSTOP) {
                self.backstop_nanos += nanos;
                self.packets += runs;
            }
        }
        self
    }
}

// === impl Taken ===

impl Taken {
    /// From what the enforcer's programs did over so many exchanges, and what one that does nothing did meanwhile.
    pub(super) fn of(work: Work, hollow: Work, exchanges: u64) -> Option<Self> {
        let counting_nanos = hollow.nanos_per_packet()?;
        let nanos = work.nanos as f64 - work.runs as f64 * counting_nanos;
        Some(Self {
            micros: nanos / 1e3 / exchanges as f64,
            backstop_nanos: work.nanos_per_packet()? - counting_nanos,
            counting_nanos,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_programs_have_done_anything() {
        let work = Work::default()
            .and("pos:\t0\nprog_type:\t18\nrun_time_ns:\t1234\nrun_cnt:\t5\n")
            .and("pos:\t0\nprog_type:\t8\nrun_time_ns:\t300\nrun_cnt:\t4\n")
            .and("pos:\t0\nflags:\t02\n");
        assert_eq!((work.nanos, work.runs), (1534, 9));
        assert_eq!(work.nanos_per_packet(), Some(75.0));
        assert_eq!(work.since(work).nanos_per_packet(), None);
    }

    #[test]
    fn what_counting_takes_is_taken_off() {
        let work = |text: &str| Work::default().and(text);
        let ours = work("prog_type:\t18\nrun_time_ns:\t1400\nrun_cnt:\t2\n")
            .and("prog_type:\t8\nrun_time_ns:\t300\nrun_cnt:\t4\n");
        let hollow = work("prog_type:\t8\nrun_time_ns:\t200\nrun_cnt:\t4\n");
        let taken = Taken {
            micros: 0.7,
            backstop_nanos: 25.0,
            counting_nanos: 50.0,
        };
        assert_eq!(Taken::of(ours, hollow, 2), Some(taken));
        assert_eq!(Taken::of(ours, Work::default(), 2), None);
    }
}

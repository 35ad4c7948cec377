//! What the enforcer's kernel programs themselves take, as the kernel counts it: a figure that no neighbour disturbs.

use std::fs;

use anyhow::{Context, Result};

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

/// Time that the programs held open by `process` have run while counted.
pub(super) fn program_seconds(process: u32) -> Result<f64> {
    let descriptors =
        fs::read_dir(format!("/proc/{process}/fdinfo")).context("cannot read the descriptors")?;
    let texts = descriptors
        .flatten()
        .filter_map(|entry| fs::read_to_string(entry.path()).ok());
    let nanos: u64 = texts.filter_map(|text| run_time(&text)).sum();
    Ok(nanos as f64 / 1e9)
}

/// The time, when the description is a program's.
fn run_time(text: &str) -> Option<u64> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("run_time_ns:"))?;
    line.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_programs_have_a_run_time() {
        assert_eq!(
            run_time("pos:\t0\nprog_type:\t18\nrun_time_ns:\t1234\nrun_cnt:\t5\n"),
            Some(1234)
        );
        assert_eq!(run_time("pos:\t0\nflags:\t02\n"), None);
    }
}

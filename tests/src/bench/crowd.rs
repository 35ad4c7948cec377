//! Who else was on the machine: figures taken beside a busy neighbour are worth less, and the report says so.

use std::{fs, time::Instant};

use anyhow::{Context, Result};

use super::cgroup::RunCgroup;

/// The machine's and the run's CPU time at one moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Crowd {
    at: Instant,
    machine: f64,
    run: f64,
}

impl Crowd {
    /// Reads both.
    pub(super) fn now(run: &RunCgroup) -> Result<Self> {
        let stat = fs::read_to_string("/proc/stat").context("cannot read the machine's times")?;
        let ticks = busy_ticks(&stat).context("the machine's times are not understood")?;
        let machine = ticks as f64 / rustix::param::clock_ticks_per_second() as f64;
        Ok(Self {
            at: Instant::now(),
            machine,
            run: run.cpu_seconds()?,
        })
    }

    /// Cores that others used since then, interrupts included.
    pub(super) fn others_since(self, earlier: Self) -> f64 {
        let seconds = (self.at - earlier.at).as_secs_f64();
        let others = (self.machine - earlier.machine) - (self.run - earlier.run);
        (others / seconds).max(0.0)
    }
}

/// All but idle and waiting for disks, of all cores together.
fn busy_ticks(stat: &str) -> Option<u64> {
    let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let fields: Vec<u64> = line
        .split_ascii_whitespace()
        .map(str::parse)
        .collect::<Result<_, _>>()
        .ok()?;
    // user nice system IDLE IOWAIT irq softirq steal; guests are counted in user already.
    let all: u64 = fields.iter().take(8).sum();
    Some(all - fields.get(3)? - fields.get(4)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_and_waiting_do_not_count() {
        let stat = "cpu  100 10 50 9000 700 1 2 3 40 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n";
        assert_eq!(busy_ticks(stat), Some(166));
        assert_eq!(busy_ticks("cpu0 1 2\n"), None);
    }
}

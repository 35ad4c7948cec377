//! The cgroups of a run: one for whatever the benchmark starts, beside it one for the agent, both below one parent whose
//! CPU time tells what the run itself used of the machine.

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};

const PATIENCE: Duration = Duration::from_secs(5);

/// The leaf for the benchmark's own processes, and the one that captured traffic comes from.
const LEAVES: [&str; 2] = ["bench", "agent"];

/// This process is inside while this value lives; everything it starts is born inside.
#[derive(Debug)]
pub(super) struct RunCgroup {
    parent: PathBuf,
    /// Where this process came from and goes back to.
    origin: PathBuf,
}

/// The mount point of the unified hierarchy, also where it lives beside the old one.
pub(super) fn unified() -> Result<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").context("cannot read the mounts")?;
    mounts
        .lines()
        .find_map(cgroup2_in)
        .context("no cgroup2 hierarchy is mounted")
}

/// Moves this process into a cgroup; only sockets made afterwards belong to it.
pub(super) fn enter(folder: &Path) -> Result<()> {
    fs::write(folder.join("cgroup.procs"), std::process::id().to_string())
        .with_context(|| format!("cannot enter the cgroup {}", folder.display()))
}

/// Ends whatever is inside a run's cgroups and removes them. Errors mean that there is nothing left to end.
pub(super) fn remove(parent: &Path) {
    let deadline = Instant::now() + PATIENCE;
    let leaves = LEAVES.map(|leaf| parent.join(leaf));
    for folder in leaves.iter().map(PathBuf::as_path).chain([parent]) {
        let _ended = fs::write(folder.join("cgroup.kill"), "1");
        while folder.exists() && fs::remove_dir(folder).is_err() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(10));
        }
    }
}

// === impl RunCgroup ===

impl RunCgroup {
    /// Makes the cgroups and moves this process into its own.
    pub(super) fn enter(parent: PathBuf) -> Result<Self> {
        let membership = fs::read_to_string("/proc/self/cgroup")?;
        let below = membership
            .lines()
            .find_map(|line| line.strip_prefix("0::/"));
        let origin = unified()?.join(below.context("this process is in no cgroup2")?);
        fs::create_dir(&parent)
            .with_context(|| format!("cannot make the cgroup {}", parent.display()))?;
        let made = Self { parent, origin };
        for leaf in LEAVES {
            fs::create_dir(made.parent.join(leaf)).context("cannot make a cgroup")?;
        }
        enter(&made.parent.join(LEAVES[0]))?;
        Ok(made)
    }

    /// Where everything else is: this process, the proxy, the upstream.
    pub(super) fn own(&self) -> PathBuf {
        self.parent.join(LEAVES[0])
    }

    /// Where captured traffic comes from.
    pub(super) fn agent(&self) -> PathBuf {
        self.parent.join(LEAVES[1])
    }

    /// CPU time of all that the run has started, itself included.
    pub(super) fn cpu_seconds(&self) -> Result<f64> {
        let stat = fs::read_to_string(self.parent.join("cpu.stat"))?;
        let line = stat
            .lines()
            .find_map(|line| line.strip_prefix("usage_usec "));
        let micros: u64 = line.context("no CPU time in the cgroup")?.trim().parse()?;
        Ok(micros as f64 / 1e6)
    }
}

impl Drop for RunCgroup {
    fn drop(&mut self) {
        // Removing kills, so not while this process is still inside.
        if enter(&self.origin).is_ok() {
            remove(&self.parent);
        }
    }
}

/// The mount point, when `line` of mountinfo is about cgroup2 (the type follows the lone dash).
fn cgroup2_in(line: &str) -> Option<PathBuf> {
    let (front, back) = line.split_once(" - ")?;
    back.starts_with("cgroup2 ")
        .then(|| front.split(' ').nth(4).map(PathBuf::from))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_unified_hierarchy_is_taken() {
        let old = "30 25 0:26 / /sys/fs/cgroup/pids rw,nosuid - cgroup cgroup rw,pids";
        let new = "31 25 0:27 / /sys/fs/cgroup/unified rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate";
        assert_eq!(cgroup2_in(old), None);
        assert_eq!(
            cgroup2_in(new),
            Some(PathBuf::from("/sys/fs/cgroup/unified"))
        );
    }
}

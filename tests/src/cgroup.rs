//! Control groups of our own, in whichever layout this machine has; emptied and removed when dropped.

use std::fs;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use rustix::process::{Pid, Signal, kill_process};

/// How long a killed group may take to become empty before it is left behind.
const EMPTYING: Duration = Duration::from_secs(5);

static SERIAL: AtomicU32 = AtomicU32::new(0);

/// A cgroup that we made.
#[derive(Debug)]
pub struct Cgroup {
    path: PathBuf,
}

impl Cgroup {
    /// Makes a cgroup whose name begins with `label`, directly below the cgroup2 mount.
    ///
    /// # Errors
    /// When there is no cgroup2 mount or it cannot be written.
    pub fn new(label: &str) -> anyhow::Result<Self> {
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        let name = format!("{label}-{}-{serial}", process::id());
        let path = mount()?.join(name);
        fs::create_dir(&path).with_context(|| format!("make cgroup {}", path.display()))?;
        Ok(Self { path })
    }

    /// Its directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The processes in it and below it.
    #[must_use]
    pub fn processes(&self) -> Vec<u32> {
        processes(&self.path)
    }

    /// Kills everything in it.
    pub fn kill(&self) {
        if fs::write(self.path.join("cgroup.kill"), "1").is_ok() {
            return;
        }
        for pid in self.processes() {
            let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
            if let Some(pid) = pid {
                let _ = kill_process(pid, Signal::KILL);
            }
        }
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        let until = Instant::now() + EMPTYING;
        self.kill();
        while !remove(&self.path) && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Where cgroup2 is mounted: alone, or beside the older hierarchies.
///
/// # Errors
/// When it is not mounted.
pub fn mount() -> anyhow::Result<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mountinfo")?;
    let found = mounts.lines().find_map(|line| {
        let (place, kind) = line.split_once(" - ")?;
        let is_ours = kind.starts_with("cgroup2 ");
        is_ours.then(|| place.split(' ').nth(4).map(PathBuf::from))?
    });
    found.context("cgroup2 is not mounted")
}

fn processes(path: &Path) -> Vec<u32> {
    let text = fs::read_to_string(path.join("cgroup.procs")).unwrap_or_default();
    let mut all: Vec<u32> = text.lines().filter_map(|line| line.parse().ok()).collect();
    for child in children(path) {
        all.extend(processes(&child));
    }
    all
}

fn children(path: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(path) else {
        return Vec::new();
    };
    let folders = entries
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    folders.map(|entry| entry.path()).collect()
}

/// Removes a cgroup and those below it; `true` when none is left.
fn remove(path: &Path) -> bool {
    for child in children(path) {
        remove(&child);
    }
    match fs::remove_dir(path) {
        Ok(()) => true,
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    }
}

//! What `/proc` tells of a process that opened a connection: cheap, bounded, and of that very process or nothing.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use enforcer_flow::Process;
use rustix::fs::{CWD, Mode, OFlags};

#[cfg(test)]
mod tests;

/// The inode of the initial pid namespace, `PROC_PID_INIT_INO` of linux/proc_ns.h: the kernel's programs count in it.
const INITIAL: u64 = 0xEFFF_FFFC;
/// How much of the arguments is looked at.
const MAX_ARGUMENTS: usize = 64 * 1024;
/// `/proc/PID/stat` has some fifty numbers and a name.
const MAX_STAT: usize = PAGE;
/// What is asked for at once.
const PAGE: usize = 4096;

/// Reads about processes, if this process sees those that the kernel's programs mean.
#[derive(Clone, Copy, Debug)]
pub struct Processes {
    readable: bool,
}

impl Processes {
    /// Finds out whether process ids mean the same here as in the kernel.
    #[must_use]
    pub fn new() -> Self {
        let own = rustix::fs::stat("/proc/self/ns/pid");
        Self {
            readable: own.is_ok_and(|stat| stat.st_ino == INITIAL),
        }
    }

    /// Adds what `/proc` tells to what the kernel saw `at` hundredths of a second after boot. A process that started later
    /// only has the same number: of it nothing is told. `hash` is given the arguments as they are, each with a zero after it.
    #[must_use]
    pub fn identify(
        self,
        mut seen: Process,
        at: u32,
        hash: impl FnOnce(&[u8]) -> Arc<str>,
    ) -> Process {
        if !self.readable || seen.pid == 0 {
            return seen;
        }
        // Held open, so that all of it is about the same process.
        let Some(folder) = open(seen.pid) else {
            return seen;
        };
        let started = read(&folder, "stat", MAX_STAT).and_then(|stat| started(&stat));
        let Some(started) = started.filter(|started| hundredths(*started) <= u64::from(at)) else {
            return seen;
        };
        seen.started = Some(started);
        seen.exe = executable(&folder);
        seen.argv = read(&folder, "cmdline", MAX_ARGUMENTS)
            .filter(|arguments| !arguments.is_empty())
            .map(|arguments| hash(&arguments));
        seen
    }
}

impl Default for Processes {
    fn default() -> Self {
        Self::new()
    }
}

fn open(pid: u32) -> Option<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::openat(CWD, format!("/proc/{pid}"), flags, Mode::empty()).ok()
}

/// At most `limit` bytes of a file, with one read where they fit into a page: such files come whole or not at all.
fn read(folder: &OwnedFd, name: &str, limit: usize) -> Option<Vec<u8>> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let file = rustix::fs::openat(folder, name, flags, Mode::empty()).ok()?;
    let mut bytes = Vec::with_capacity(PAGE.min(limit));
    loop {
        let asked = bytes.capacity() - bytes.len();
        let count = rustix::io::retry_on_intr(|| {
            rustix::io::read(&file, rustix::buffer::spare_capacity(&mut bytes))
        })
        .ok()?;
        if count < asked || bytes.len() >= limit {
            bytes.truncate(limit);
            return Some(bytes);
        }
        bytes.reserve((limit - bytes.len()).min(PAGE));
    }
}

fn executable(folder: &OwnedFd) -> Option<Arc<str>> {
    let target = rustix::fs::readlinkat(folder, "exe", Vec::new()).ok()?;
    Some(target.to_string_lossy().into())
}

/// The 22nd field of `/proc/PID/stat`, proc_pid_stat(5). The second is the process's name in parentheses, and may hold some.
fn started(stat: &[u8]) -> Option<u64> {
    let end = stat.iter().rposition(|byte| *byte == b')')?;
    let after = std::str::from_utf8(&stat[end + 1..]).ok()?;
    after.split_ascii_whitespace().nth(19)?.parse().ok()
}

fn hundredths(ticks: u64) -> u64 {
    match rustix::param::clock_ticks_per_second() {
        0 | 100 => ticks,
        rate => ticks.saturating_mul(100) / rate,
    }
}

//! One cgroup, held open: whatever takes its name later, this stays the same one.

use std::fs;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use enforcer_flow::CgroupId;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::process::{Pid, Signal};

use crate::CgroupError;

#[cfg(test)]
mod tests;

/// How many directories below a cgroup are looked at; an agent with a writable tree may make more.
const MAX_BELOW: usize = 16_384;
/// How many calls one attempt at removing a tree may take.
const MAX_STEPS: usize = 1 << 18;
/// How much of `cgroup.procs` is read; a process id with its line feed has at most 8 bytes.
const MAX_PROCS: u64 = 8 * 1024 * 1024;
/// Pause between two looks where the kernel offers nothing to wait for.
const PAUSE: Duration = Duration::from_millis(5);

/// A directory of the hierarchy. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Cgroup {
    path: Arc<str>,
    dir: Arc<Path>,
    id: CgroupId,
    opened: Arc<OwnedFd>,
}

impl Cgroup {
    pub(crate) fn new(path: Arc<str>, dir: Arc<Path>, id: CgroupId, opened: OwnedFd) -> Self {
        Self {
            path,
            dir,
            id,
            opened: Arc::new(opened),
        }
    }

    /// Its path below the mount, `/` for the root.
    #[must_use]
    pub fn path(&self) -> &Arc<str> {
        &self.path
    }

    /// Its directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Its id: the directory's inode number.
    #[must_use]
    pub fn id(&self) -> CgroupId {
        self.id
    }

    /// Whether `other` is this cgroup or lies below it.
    #[must_use]
    pub fn contains(&self, other: &Self) -> bool {
        is_below(&self.path, &other.path)
    }

    /// Whether the directory is still there under its name.
    #[must_use]
    pub fn exists(&self) -> bool {
        rustix::fs::stat(&*self.dir).is_ok_and(|stat| stat.st_ino == self.id.0)
    }

    /// Whether a living process is in it or below it.
    ///
    /// # Errors
    /// When the cgroup is gone or cannot be read.
    pub fn is_populated(&self) -> Result<bool, CgroupError> {
        let events = self.read("cgroup.events", 4096)?;
        Ok(events.lines().any(|line| line == "populated 1"))
    }

    /// The processes in it and below it. One of another pid namespace, which has no id here, is left out.
    ///
    /// # Errors
    /// When the cgroup is gone or cannot be read.
    pub fn processes(&self) -> Result<Vec<u32>, CgroupError> {
        let mut pids = pids_of(&self.read("cgroup.procs", MAX_PROCS)?);
        for dir in self.below() {
            // What vanishes meanwhile has no processes.
            if let Ok(text) = fs::read_to_string(dir.join("cgroup.procs")) {
                pids.extend(pids_of(&text));
            }
        }
        Ok(pids)
    }

    /// Kills every process in it and below it, and returns without waiting for their end.
    ///
    /// # Errors
    /// When the cgroup is gone, or the system says no.
    pub fn kill_all(&self) -> Result<(), CgroupError> {
        let failed =
            |error| CgroupError::io::<io::Error>("kill the processes of", &self.dir)(error);
        match self.open_file("cgroup.kill", OFlags::WRONLY) {
            Ok(file) => fs::File::from(file).write_all(b"1").map_err(failed),
            // Kernels before 5.14.
            Err(Errno::NOENT) if self.exists() => self.kill_each(),
            Err(error) => Err(failed(error.into())),
        }
    }

    /// Waits until no living process is in it or below it.
    ///
    /// # Errors
    /// When some stay for longer than `patience`, or the cgroup is gone or cannot be read.
    pub fn wait_empty(&self, patience: Duration) -> Result<(), CgroupError> {
        let deadline = Instant::now() + patience;
        let events = self
            .open_file("cgroup.events", OFlags::RDONLY)
            .map_err(CgroupError::io("watch", &self.dir))?;
        loop {
            if !self.is_populated()? {
                return Ok(());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(self.busy(patience));
            }
            // cgroup.events wakes its pollers when `populated` changes; the bound covers a change between read and poll.
            let left = Timespec::try_from(left.min(PAUSE * 10)).ok();
            let mut fds = [PollFd::new(&events, PollFlags::PRI)];
            match rustix::event::poll(&mut fds, left.as_ref()) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(CgroupError::io("watch", &self.dir)(error)),
            }
        }
    }

    /// Removes it and what is below it, waiting while dying processes leave. One that is gone already is no error.
    ///
    /// # Errors
    /// When living processes stay for longer than `patience`, or the system says no.
    pub fn remove(&self, patience: Duration) -> Result<(), CgroupError> {
        let deadline = Instant::now() + patience;
        loop {
            if !self.exists() {
                return Ok(());
            }
            match self.remove_tree() {
                Ok(()) | Err(Errno::NOENT) => return Ok(()),
                Err(Errno::BUSY) if Instant::now() < deadline => thread::sleep(PAUSE),
                Err(Errno::BUSY) => return Err(self.busy(patience)),
                Err(error) => return Err(CgroupError::io("remove the cgroup", &self.dir)(error)),
            }
        }
    }

    /// Deepest first. `EBUSY` for a directory without directories means that processes are in it.
    fn remove_tree(&self) -> Result<(), Errno> {
        let mut stack = vec![self.dir.to_path_buf()];
        for _ in 0..MAX_STEPS {
            let Some(dir) = stack.last() else {
                return Ok(());
            };
            match rustix::fs::rmdir(dir) {
                Ok(()) | Err(Errno::NOENT) => drop(stack.pop()),
                Err(Errno::BUSY) => match subdirectories(dir) {
                    none if none.is_empty() => return Err(Errno::BUSY),
                    below => stack.extend(below),
                },
                Err(error) => return Err(error),
            }
        }
        Err(Errno::BUSY)
    }

    /// Without `cgroup.kill` a forking process can run ahead of the list, so look again until nothing new is there.
    fn kill_each(&self) -> Result<(), CgroupError> {
        for _ in 0..100 {
            let pids = self.processes()?;
            if pids.is_empty() {
                break;
            }
            for pid in pids {
                if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
                    // It may have ended by itself.
                    let _ended = rustix::process::kill_process(pid, Signal::KILL);
                }
            }
            thread::sleep(PAUSE);
        }
        Ok(())
    }

    /// The directories below this one, parents first, within the bounds.
    fn below(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut level = vec![self.dir.to_path_buf()];
        while !level.is_empty() {
            level = level.iter().flat_map(|dir| subdirectories(dir)).collect();
            level.truncate(MAX_BELOW - found.len());
            found.extend_from_slice(&level);
        }
        found
    }

    fn busy(&self, waited: Duration) -> CgroupError {
        CgroupError::Busy {
            path: self.path.to_string(),
            waited,
        }
    }

    fn read(&self, name: &str, limit: u64) -> Result<String, CgroupError> {
        let failed = |error| CgroupError::io::<io::Error>("read", &self.dir.join(name))(error);
        let file = self
            .open_file(name, OFlags::RDONLY)
            .map_err(|error| failed(error.into()))?;
        let mut text = String::new();
        fs::File::from(file)
            .take(limit)
            .read_to_string(&mut text)
            .map_err(failed)?;
        Ok(text)
    }

    fn open_file(&self, name: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
        // Relative to the open directory, so another cgroup that took the name is never touched.
        rustix::fs::openat(&*self.opened, name, flags | OFlags::CLOEXEC, Mode::empty())
    }
}

impl AsFd for Cgroup {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.opened.as_fd()
    }
}

/// The directories in `dir`; none when it is gone.
pub(crate) fn subdirectories(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else {
        return Vec::new();
    };
    entries
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .take(MAX_BELOW)
        .collect()
}

/// Whether `path` is `above` or below it.
pub(crate) fn is_below(above: &str, path: &str) -> bool {
    let rest = path.strip_prefix(above.trim_end_matches('/'));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The process ids of a `cgroup.procs`; zero stands for a process that has no id here.
fn pids_of(text: &str) -> Vec<u32> {
    text.lines()
        .filter_map(|line| line.parse().ok())
        .filter(|pid| *pid != 0)
        .collect()
}

//! Puts a command where it is to run before it runs: in its cgroup and, if it has one of its own, its network namespace.
//!
//! Programs see a socket's cgroup as of its creation, so the command must be inside before its first instruction.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd, RawFd};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use crate::object::duplicate;
use crate::{KernelError, Netns};

/// A place for a command's child.
#[derive(Debug)]
pub struct Placement {
    /// The cgroup's list of processes, open for writing.
    cgroup: File,
    netns: Option<OwnedFd>,
}

impl Placement {
    /// In the cgroup that `dir` is, and in `netns` unless the parent's will do.
    ///
    /// # Errors
    /// When the cgroup cannot be entered or the namespace cannot be kept.
    pub fn new(dir: &Path, netns: Option<&Netns>) -> Result<Self, KernelError> {
        let procs = dir.join("cgroup.procs");
        let cgroup = OpenOptions::new()
            .write(true)
            .open(&procs)
            .map_err(|error| KernelError::file("write to", &procs, error))?;
        let netns = netns.map(duplicate).transpose()?;
        Ok(Self { cgroup, netns })
    }

    /// Has every child of `command` start in this place. A child that cannot be put there does not run.
    ///
    /// The child enters as the user it starts as, and must have the rights to. `Command::uid` takes effect before this does:
    /// a command that is to run as somebody else must change over in a `pre_exec` of its own that is added after.
    pub fn apply(self, command: &mut Command) {
        let enter = move || {
            let Self { cgroup, netns } = &self;
            die_with_parent()?;
            enter_cgroup(cgroup.as_raw_fd())?;
            netns
                .as_ref()
                .map_or(Ok(()), |netns| enter_netns(netns.as_raw_fd()))
        };
        // SAFETY: between fork and exec only prctl(2), write(2) and setns(2) are called, on descriptors opened before; nothing
        // allocates and no lock is taken.
        unsafe { command.pre_exec(enter) };
    }
}

/// A command must not outlive the enforcer that it was placed by: were that killed, the command would go on, held in its place
/// and answered by nobody.
fn die_with_parent() -> io::Result<()> {
    // SAFETY: the call takes no pointers.
    let done = unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
    if done == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Moves the calling process: 0 stands for whoever writes it.
fn enter_cgroup(procs: RawFd) -> io::Result<()> {
    // SAFETY: the buffer is one byte long, and it is there.
    let written = unsafe { libc::write(procs, b"0".as_ptr().cast(), 1) };
    if written == 1 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

fn enter_netns(netns: RawFd) -> io::Result<()> {
    // SAFETY: the call takes no pointers.
    let done = unsafe { libc::setns(netns, libc::CLONE_NEWNET) };
    if done == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

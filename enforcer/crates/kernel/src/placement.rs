//! Puts a command where it is to run before it runs: in its cgroup, its network namespace if it has one of its own, and its
//! confinement.
//!
//! Programs see a socket's cgroup as of its creation, so the command must be inside before its first instruction.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::fd::{AsRawFd as _, OwnedFd, RawFd};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, Signal};

use crate::confine::{Confinement, Confining, Step};
use crate::object::duplicate;
use crate::{KernelError, Netns};

/// A place for a command's child.
#[derive(Debug)]
pub struct Placement {
    /// The cgroup's list of processes, open for writing.
    cgroup: File,
    netns: Option<OwnedFd>,
    confinement: Option<Confinement>,
}

/// How far a child came on its way into its place.
#[derive(Debug)]
pub struct Progress {
    steps: File,
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
        Ok(Self {
            cgroup,
            netns,
            confinement: None,
        })
    }

    /// Confines it too.
    ///
    /// # Errors
    /// When the confinement cannot be prepared on this kernel.
    pub fn confine(mut self, confining: &Confining) -> Result<Self, KernelError> {
        self.confinement = Some(Confinement::new(confining)?);
        Ok(self)
    }

    /// Has every child of `command` start in this place. A child that cannot be put there does not run, and the result says
    /// what stood in its way.
    ///
    /// The child enters as the user it starts as, and must have the rights to: whom the command is to run as is for its
    /// confinement to say, not for `Command::uid`, which takes effect before.
    ///
    /// # Errors
    /// When descriptors run out.
    pub fn apply(self, command: &mut Command) -> Result<Progress, KernelError> {
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)
            .map_err(|error| KernelError::call("making a pipe", error))?;
        let parent = rustix::process::getpid();
        let enter = move || {
            let mut at = |step: Step| {
                // A step that cannot be told is taken all the same.
                let _ = rustix::io::write(&writer, &[step as u8]);
            };
            self.enter(parent, &mut at)
        };
        // SAFETY: between fork and exec only system calls are made, on descriptors opened and paths written before; nothing
        // allocates and no lock is taken.
        unsafe { command.pre_exec(enter) };
        Ok(Progress {
            steps: reader.into(),
        })
    }

    fn enter(&self, parent: Pid, at: &mut impl FnMut(Step)) -> io::Result<()> {
        let Self {
            cgroup,
            netns,
            confinement,
        } = self;
        at(Step::Cgroup);
        enter_cgroup(cgroup.as_raw_fd())?;
        if let Some(netns) = netns {
            at(Step::Netns);
            enter_netns(netns.as_raw_fd())?;
        }
        if let Some(confinement) = confinement {
            confinement.enter(at)?;
        }
        // Last: a change of user would undo it.
        at(Step::Parent);
        die_with(parent)
    }
}

impl Progress {
    /// The last step that a child of the command began; none before the first.
    #[must_use]
    pub fn last(&mut self) -> Option<Step> {
        let mut steps = Vec::new();
        // Nobody writes any more, or there is nothing more yet: what came counts.
        let _ = self.steps.read_to_end(&mut steps);
        Step::of(*steps.last()?)
    }
}

/// A command must not outlive the enforcer that it was placed by: were that killed, the command would go on, held in its place
/// and answered by nobody.
fn die_with(parent: Pid) -> io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    // It may have died before it could be told of.
    if rustix::process::getppid() == Some(parent) {
        Ok(())
    } else {
        Err(Errno::SRCH.into())
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

//! What a command is kept from, beside its network: rights, kinds of sockets, and whatever of the host would act for it.
//!
//! Hooks on a cgroup see the sockets that its processes make. A process that gets another one to connect, leaves its cgroup,
//! or makes sockets of a kind that no hook sees is not seen, so each of these ways is closed here, before its first
//! instruction: what is left of its capabilities ([`capabilities`]), what it may ask the kernel for ([`filter`]), whom it may
//! act on ([`scope`]), what it sees of the host's files ([`view`]). Everything is prepared by the parent; the child only
//! makes system calls, and a child that cannot be confined does not run.
//!
//! The lists are public, so that whoever starts containers can have the same of their runtimes.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;

use rustix::process::{Gid, Uid};
use rustix::thread::CapabilitySet;

use crate::KernelError;

mod capabilities;
mod descriptors;
mod filter;
mod scope;
mod view;

pub use capabilities::{KEPT, capability, capability_name};
pub use descriptors::seal;
pub use filter::{FAMILIES, IO_URING, TERMINAL_INPUT};
pub use scope::is_supported as scopes_are_supported;

use filter::Filter;
use scope::Scope;
use view::View;

/// A part of the confinement that can be done without, one at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Waiver {
    /// io_uring may be used. It makes sockets of any kind past the filter on kinds of sockets.
    IoUring,
    /// Programs may give more rights than their caller has, as `sudo` does.
    NewPrivileges,
    /// Processes and abstract sockets that are not its own may be acted on.
    OtherProcesses,
    /// Sockets of every family may be asked for.
    SocketFamilies,
    /// Cgroups, `/sys` and `/proc/sys` may be written to.
    SystemWrites,
}

/// Whom a command runs as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunAs {
    /// Its user.
    pub uid: u32,
    /// Its main group.
    pub gid: u32,
    /// Its other groups.
    pub groups: Vec<u32>,
}

/// How a command is to be confined.
#[derive(Clone, Debug)]
pub struct Confining {
    /// What it keeps beside [`KEPT`].
    pub capabilities: CapabilitySet,
    /// What is not done.
    pub waived: BTreeSet<Waiver>,
    /// Files and folders that it is not to see: a folder is shown empty, of anything else an empty file.
    pub hidden: Vec<PathBuf>,
    /// What it sees instead of files of the host: ours first, then the host's.
    pub replaced: Vec<(PathBuf, PathBuf)>,
    /// Whom it runs as; none is the caller.
    pub user: Option<RunAs>,
}

/// A command's confinement, ready to be entered by its process.
#[derive(Debug)]
pub(crate) struct Confinement {
    kept: CapabilitySet,
    new_privileges: bool,
    view: View,
    scope: Option<Scope>,
    filter: Filter,
    user: Option<Identity>,
}

#[derive(Debug)]
struct Identity {
    uid: Uid,
    gid: Gid,
    groups: Vec<Gid>,
}

/// What is being done on the way to a command's first instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Step {
    /// Entering its cgroup.
    Cgroup = 1,
    /// Entering its network namespace.
    Netns,
    /// Setting `no_new_privs`.
    NewPrivileges,
    /// Hiding, replacing and closing files to writing.
    View,
    /// Keeping to its own processes.
    Scope,
    /// Filtering system calls.
    Filter,
    /// Dropping capabilities.
    Capabilities,
    /// Becoming its user.
    User,
    /// Tying its life to its supervisor's.
    Parent,
}

// === impl Confinement ===

impl Confinement {
    pub(crate) fn new(confining: &Confining) -> Result<Self, KernelError> {
        let Confining {
            capabilities,
            waived,
            hidden,
            replaced,
            user,
        } = confining;
        let is_root = user.as_ref().map_or_else(
            || rustix::process::geteuid().is_root(),
            |user| user.uid == 0,
        );
        let system_writes = waived.contains(&Waiver::SystemWrites);
        Ok(Self {
            kept: KEPT | *capabilities,
            new_privileges: waived.contains(&Waiver::NewPrivileges),
            view: View::new(hidden, replaced, (!system_writes).then_some(is_root))?,
            scope: if waived.contains(&Waiver::OtherProcesses) {
                None
            } else {
                Scope::new()?
            },
            filter: Filter::new(waived)?,
            user: user.as_ref().map(Identity::of),
        })
    }

    /// Has the calling process enter. To be called between fork and exec: nothing allocates and no lock is taken.
    pub(crate) fn enter(&self, at: &mut impl FnMut(Step)) -> io::Result<()> {
        let Self {
            kept,
            new_privileges,
            view,
            scope,
            filter,
            user,
        } = self;
        if !new_privileges {
            at(Step::NewPrivileges);
            rustix::thread::set_no_new_privs(true)?;
        }
        at(Step::View);
        view.enter()?;
        // While there are still the rights that these two ask for where new privileges are allowed.
        if let Some(scope) = scope {
            at(Step::Scope);
            scope.enter()?;
        }
        at(Step::Filter);
        filter.enter()?;
        at(Step::Capabilities);
        capabilities::keep(*kept)?;
        if let Some(user) = user {
            at(Step::User);
            user.enter()?;
        }
        Ok(())
    }
}

// === impl Identity ===

impl Identity {
    fn of(user: &RunAs) -> Self {
        Self {
            uid: Uid::from_raw(user.uid),
            gid: Gid::from_raw(user.gid),
            groups: user
                .groups
                .iter()
                .map(|group| Gid::from_raw(*group))
                .collect(),
        }
    }

    fn enter(&self) -> io::Result<()> {
        rustix::thread::set_thread_groups(&self.groups)?;
        rustix::thread::set_thread_res_gid(self.gid, self.gid, self.gid)?;
        rustix::thread::set_thread_res_uid(self.uid, self.uid, self.uid)?;
        Ok(())
    }
}

// === impl Step ===

impl Step {
    const ALL: [Self; 9] = [
        Self::Cgroup,
        Self::Netns,
        Self::NewPrivileges,
        Self::View,
        Self::Scope,
        Self::Filter,
        Self::Capabilities,
        Self::User,
        Self::Parent,
    ];

    pub(crate) fn of(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|step| *step as u8 == code)
    }

    /// What it is about, for people.
    #[must_use]
    pub fn describe(self) -> &'static str {
        match self {
            Self::Cgroup => "its cgroup cannot be entered",
            Self::Netns => "its network namespace cannot be entered",
            Self::NewPrivileges => "new privileges cannot be ruled out",
            Self::View => "what it may not see or write to cannot be closed",
            Self::Scope => "it cannot be kept from other processes",
            Self::Filter => "its system calls cannot be filtered",
            Self::Capabilities => "its capabilities cannot be dropped",
            Self::User => "it cannot run as that user",
            Self::Parent => "it cannot be tied to its supervisor",
        }
    }
}

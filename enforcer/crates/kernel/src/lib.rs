//! Loads the kernel's programs, hangs them on agents' cgroups, and tells who opened a connection and where it was to go.
//!
//! The only room in userspace with `unsafe` in it: every block is a system call or a read of what the kernel filled in, with
//! the reason beside it. Nothing here judges a destination or serves a connection. What is pinned goes on enforcing when
//! the daemon is gone: agents are then refused, and a successor that pins in the same place takes over without a gap.

#![deny(unsafe_op_in_unsafe_fn)]

mod btf;
mod by_hand;
mod cgroup;
pub mod confine;
mod devices;
mod error;
mod events;
mod hooks;
mod inside;
mod inspect;
mod link;
pub mod lsm;
mod mountinfo;
mod mounts;
mod netns;
mod object;
mod origins;
mod pins;
mod placement;
pub mod probe;
mod programs;
mod prune;
mod seal;
pub mod sockets;
mod stance;
mod sys;
mod table;
mod uninstall;
pub mod unix;
mod watch;

pub use cgroup::cgroup_id;
pub use enforcer_common::{Hook, Reason, ipproto};
pub use error::KernelError;
pub use events::{Events, Lost, Refused};
pub use inside::Inside;
pub use mounts::{Cover, FileId, MountNamespace, MountNamespaceId, ShownSocket};
pub use netns::{Listeners, Loopback, Netns, Ports};
pub use origins::{Origin, Origins};
pub use placement::{Placement, Progress};
pub use programs::Programs;
pub use prune::prune;
pub use seal::{Seal, Sealed, probe_tcx};
pub use uninstall::{running, uninstall};
pub use watch::{Fault, FaultKind};

//! Whom a confined command may act on: processes that it started itself, and abstract sockets that those made.
//!
//! Landlock keeps a process from tracing others, which is also what guards `/proc/PID/root`, `/proc/PID/fd` and other
//! processes' memory, from signalling them, and from connecting to abstract unix sockets of theirs. Capabilities say nothing
//! of these between two processes of one ordinary user.

use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd, RawFd};

use crate::KernelError;

/// From `linux/landlock.h`: ask for the version of the interface.
const VERSION: libc::c_uint = 1;
/// Scopes came with the sixth version, in Linux 6.12.
const SCOPED_SINCE: libc::c_long = 6;
const ABSTRACT_UNIX_SOCKET: u64 = 1;
const SIGNAL: u64 = 1 << 1;

/// `struct landlock_ruleset_attr`.
#[repr(C)]
struct Attributes {
    files: u64,
    net: u64,
    scoped: u64,
}

/// A ruleset that a process can bind itself by.
#[derive(Debug)]
pub(super) struct Scope {
    rules: OwnedFd,
}

/// Whether this kernel can do it: Linux 6.12 or newer, with Landlock in use.
#[must_use]
pub fn is_supported() -> bool {
    // SAFETY: with this flag the call takes no structure.
    let version = unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            std::ptr::null::<Attributes>(),
            0,
            VERSION,
        )
    };
    version >= SCOPED_SINCE
}

impl Scope {
    /// None where the kernel cannot; `enforcer doctor` says so.
    pub(super) fn new() -> Result<Option<Self>, KernelError> {
        if !is_supported() {
            tracing::debug!(
                "this kernel cannot keep a command from other processes: it needs Landlock, and Linux 6.12"
            );
            return Ok(None);
        }
        let attributes = Attributes {
            files: 0,
            net: 0,
            scoped: ABSTRACT_UNIX_SOCKET | SIGNAL,
        };
        // SAFETY: the structure is as long as is said.
        let fd = unsafe {
            libc::syscall(
                libc::SYS_landlock_create_ruleset,
                &raw const attributes,
                size_of::<Attributes>(),
                0,
            )
        };
        let fd = RawFd::try_from(fd).ok().filter(|fd| *fd >= 0);
        let Some(fd) = fd else {
            let error = io::Error::last_os_error();
            return Err(KernelError::call("making a Landlock ruleset", error));
        };
        // SAFETY: the kernel just made this descriptor, and nobody else knows it.
        let rules = unsafe { OwnedFd::from_raw_fd(fd) };
        Ok(Some(Self { rules }))
    }

    pub(super) fn enter(&self) -> io::Result<()> {
        // SAFETY: the call takes no pointers.
        let done =
            unsafe { libc::syscall(libc::SYS_landlock_restrict_self, self.rules.as_raw_fd(), 0) };
        if done == 0 {
            Ok(())
        } else {
            Err(io::Error::last_os_error())
        }
    }
}

//! One cgroup's links: each hangs one program on it and is pinned, so that it holds without us.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::Path;

use crate::hooks::HookPoint;
use crate::{KernelError, sys};

/// Hangs `program` on `cgroup` and pins the link at `pin`. Where a predecessor's link is pinned, its program is replaced in
/// one step: at no moment is the cgroup without. Returns whether a new link was made.
pub(crate) fn hang(
    program: BorrowedFd<'_>,
    hook: HookPoint,
    cgroup: &File,
    pin: &Path,
) -> Result<bool, KernelError> {
    renew(program, pin, || {
        sys::link_create(program, cgroup.as_fd(), hook.attach_type)
    })
}

/// The same, wherever a new link would hang.
pub(crate) fn renew(
    program: BorrowedFd<'_>,
    pin: &Path,
    create: impl FnOnce() -> io::Result<OwnedFd>,
) -> Result<bool, KernelError> {
    if let Ok(link) = sys::open_pin(pin) {
        match sys::link_update(link.as_fd(), program) {
            Ok(()) => return Ok(false),
            // What this link was made for is gone; an id is not used twice, so this cannot be ours.
            Err(error) if error.raw_os_error() == Some(libc::ENOLINK) => unpin(pin)?,
            Err(error) => return Err(KernelError::call("replacing a program", error)),
        }
    }
    let link = create().map_err(|error| KernelError::call("attaching a program", error))?;
    sys::pin(link.as_fd(), pin).map_err(|error| KernelError::file("pin at", pin, error))?;
    Ok(true)
}

/// Takes a link's program off and removes its pin; it need not be there. Without the first, the kernel would get round to
/// it some time after the pin is gone.
pub(crate) fn unpin(pin: &Path) -> Result<(), KernelError> {
    if let Ok(link) = sys::open_pin(pin) {
        sys::link_detach(link.as_fd())
            .map_err(|error| KernelError::call("detaching a program", error))?;
    }
    match fs::remove_file(pin) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(KernelError::file("remove", pin, error))
        }
        _ => Ok(()),
    }
}

//! What a command would inherit from our caller: a socket made elsewhere belongs to its maker's cgroup, where no hook of ours
//! is, and a folder opened elsewhere leads into the host's own view of its files.

use std::io;
use std::os::fd::{BorrowedFd, RawFd};
use std::path::Path;

use rustix::fs::{FileType, fstat};
use rustix::io::{FdFlags, fcntl_getfd, fcntl_setfd};

use crate::KernelError;

/// Has no command inherit the sockets and folders that this process has open now, but for the standard streams. Pipes and
/// files are passed on, as shells' `<(…)` and `make` need.
///
/// # Errors
/// When the open descriptors cannot be listed or one of them cannot be kept.
pub fn seal() -> Result<(), KernelError> {
    let path = Path::new("/proc/self/fd");
    let listed = std::fs::read_dir(path).map_err(|error| KernelError::file("list", path, error))?;
    let numbers: Vec<RawFd> = listed
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|number| *number > libc::STDERR_FILENO)
        .collect();
    for number in numbers {
        // SAFETY: it is used for two calls that fail if nothing is open under this number any more.
        let fd = unsafe { BorrowedFd::borrow_raw(number) };
        keep_back(fd).map_err(|error| KernelError::call("keeping back a descriptor", error))?;
    }
    Ok(())
}

fn keep_back(fd: BorrowedFd<'_>) -> io::Result<()> {
    let Ok(flags) = fcntl_getfd(fd) else {
        // The one by which the folder was read.
        return Ok(());
    };
    let kind = FileType::from_raw_mode(fstat(fd)?.st_mode);
    if matches!(kind, FileType::Socket | FileType::Directory) {
        fcntl_setfd(fd, flags | FdFlags::CLOEXEC)?;
    }
    Ok(())
}

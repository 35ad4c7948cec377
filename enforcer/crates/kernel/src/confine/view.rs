//! What a confined command sees of the host's files: a mount namespace of its own, in which cgroups and the kernel's settings
//! cannot be written, and what would act for it is not there.
//!
//! Mounts that a more privileged namespace made cannot be undone in one that the command makes for itself: the kernel locks
//! them as they are (mount_namespaces(7)).

use std::ffi::CString;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_bind, mount_change};
use rustix::thread::UnshareFlags;

use crate::KernelError;
use crate::mountinfo::{self, Mounted};

/// What only root may write to by who it is, without a capability: a program named there is run by the kernel itself.
const KERNEL_SETTINGS: [&str; 5] = [
    "/proc/sys",
    "/proc/sysrq-trigger",
    "/proc/irq",
    "/proc/bus",
    "/proc/fs",
];

/// What is done on the way in, each with paths ready for the kernel.
#[derive(Debug)]
pub(super) struct View {
    changes: Vec<Change>,
}

#[derive(Debug)]
enum Change {
    /// One file is seen as another, read-only.
    Replace { ours: CString, theirs: CString },
    /// A folder is seen empty.
    Empty(CString),
    /// A file is seen as one that holds nothing, and that nobody listens at.
    Void(CString),
    /// What is mounted there, and all below it, cannot be written.
    Close(CString),
    /// As [`Change::Close`], for what is no mount of its own.
    CloseFolder(CString),
}

impl View {
    /// With `closed` the kernel's settings cannot be written; it says whether the command runs as root.
    pub(super) fn new(
        hidden: &[PathBuf],
        replaced: &[(PathBuf, PathBuf)],
        closed: Option<bool>,
    ) -> Result<Self, KernelError> {
        let mut changes = Vec::new();
        for (ours, theirs) in replaced {
            let (ours, theirs) = (path(ours)?, path(theirs)?);
            changes.push(Change::Replace { ours, theirs });
        }
        let mounts = mountinfo::mounted()?;
        // Programs that are pinned there can be taken off by whoever owns the file.
        let pins = mounts
            .iter()
            .filter(|mount| mount.kind == "bpf")
            .map(|mount| &mount.place);
        let mut places: Vec<&PathBuf> = hidden.iter().chain(pins).collect();
        // A folder before what is in it, which then is not there to be hidden.
        places.sort();
        let mut emptied: Vec<&PathBuf> = Vec::new();
        for place in places {
            if emptied.iter().any(|folder| place.starts_with(folder)) {
                continue;
            }
            match std::fs::metadata(place) {
                Ok(about) if about.is_dir() => {
                    emptied.push(place);
                    changes.push(Change::Empty(path(place)?));
                }
                Ok(_) => changes.push(Change::Void(path(place)?)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(KernelError::file("examine", place, error)),
            }
        }
        if let Some(is_root) = closed {
            for Mounted { kind, place } in &mounts {
                if ["cgroup", "cgroup2", "sysfs"].contains(&kind.as_str()) {
                    changes.push(Change::Close(path(place)?));
                }
            }
            // An ordinary user may write to none of these; and a new /proc in a namespace of its own, as sandboxes in the
            // sandbox make one, is refused where parts of the old one are covered.
            for place in KERNEL_SETTINGS
                .iter()
                .filter(|place| is_root && Path::new(place).exists())
            {
                changes.push(Change::CloseFolder(path(Path::new(place))?));
            }
        }
        Ok(Self { changes })
    }

    pub(super) fn enter(&self) -> io::Result<()> {
        // SAFETY: the calling process has one thread, and keeps its root and working directory.
        unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWNS) }?;
        let apart = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
        mount_change(c"/", apart)?;
        self.changes.iter().try_for_each(Change::make)
    }
}

impl Change {
    fn make(&self) -> io::Result<()> {
        match self {
            Self::Replace { ours, theirs } => {
                mount_bind(ours.as_c_str(), theirs.as_c_str())?;
                close(theirs)
            }
            Self::Empty(folder) => {
                let flags = MountFlags::RDONLY
                    | MountFlags::NOSUID
                    | MountFlags::NODEV
                    | MountFlags::NOEXEC;
                let options = c"size=4k,mode=555";
                unless_gone(mount(c"none", folder.as_c_str(), c"tmpfs", flags, options))
            }
            Self::Void(file) => unless_gone(mount_bind(c"/dev/null", file.as_c_str())),
            Self::Close(mount) => close(mount),
            Self::CloseFolder(folder) => {
                mount_bind(folder.as_c_str(), folder.as_c_str())?;
                close(folder)
            }
        }
    }
}

/// What was to be hidden and is not there any more is hidden.
fn unless_gone(done: Result<(), Errno>) -> io::Result<()> {
    match done {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Has the mount at `place`, and all below it, refuse to be written to.
fn close(place: &CString) -> io::Result<()> {
    let attributes = libc::mount_attr {
        attr_set: libc::MOUNT_ATTR_RDONLY,
        attr_clr: 0,
        propagation: 0,
        userns_fd: 0,
    };
    // SAFETY: the path ends with zero, and the structure is as long as is said.
    let done = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            libc::AT_FDCWD,
            place.as_ptr(),
            libc::AT_RECURSIVE,
            &raw const attributes,
            size_of::<libc::mount_attr>(),
        )
    };
    if done == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

fn path(path: &Path) -> Result<CString, KernelError> {
    CString::new(path.as_os_str().as_bytes())
        .map_err(|error| KernelError::file("use", path, io::Error::from(error)))
}

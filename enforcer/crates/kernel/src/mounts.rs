//! Mount namespaces: files of ours laid over files of a container, from outside, and taken away again.
//!
//! Nothing is written in the container. What is laid over a file is a read-only bind mount that belongs to the container's
//! namespace: it ends with it, with [`MountNamespace::uncover`], or never by the hand of a container without the right to mount.
//! As with network namespaces, whatever must happen inside is done by a thread of its own that enters, does it, and ends.
//! Names in a container are the container's to choose, so targets come as open files, and are what was looked at or nothing.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::thread;

use rustix::fs::{AtFlags, CWD, Mode, OFlags, ResolveFlags, StatxFlags, openat, openat2, statx};
use rustix::mount::{MoveMountFlags, OpenTreeFlags, UnmountFlags, move_mount, open_tree, unmount};
use rustix::thread::{LinkNameSpaceType, UnshareFlags, move_into_link_name_space};

use crate::KernelError;

mod sockets;
mod table;

pub use sockets::ShownSocket;

use table::Mounts;

/// Most mounts of ours one namespace is relieved of; far more than are ever laid in one.
const MAX_UNCOVERED: usize = 1024;

/// Which mount namespace: one number for each, while it exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MountNamespaceId(u64);

/// Which file: device and inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileId {
    device: u64,
    inode: u64,
}

/// The mounts that a process sees, and its root among them.
#[derive(Debug)]
pub struct MountNamespace {
    process: OwnedFd,
    namespace: OwnedFd,
    root: OwnedFd,
    id: MountNamespaceId,
}

/// A file of ours, and what it is to lie over.
#[derive(Debug)]
pub struct Cover {
    /// Ours.
    pub source: PathBuf,
    /// Opened in the namespace, as a path only or otherwise.
    pub target: OwnedFd,
}

// === impl MountNamespaceId ===

impl MountNamespaceId {
    /// The namespace of the calling thread.
    ///
    /// # Errors
    /// When /proc does not say.
    pub fn current() -> Result<Self, KernelError> {
        let path = Path::new("/proc/thread-self/ns/mnt");
        let file = File::open(path).map_err(|error| KernelError::file("open", path, error))?;
        Self::of(file.as_fd())
    }

    /// The namespace of a process, without opening it.
    ///
    /// # Errors
    /// When there is no such process.
    pub fn of_process(pid: u32) -> Result<Self, KernelError> {
        let path = PathBuf::from(format!("/proc/{pid}/ns/mnt"));
        let facts =
            rustix::fs::stat(&path).map_err(|error| KernelError::file("examine", &path, error))?;
        Ok(Self(facts.st_ino))
    }

    fn of(file: BorrowedFd<'_>) -> Result<Self, KernelError> {
        let facts = rustix::fs::fstat(file)
            .map_err(|error| KernelError::call("examining a mount namespace", error))?;
        Ok(Self(facts.st_ino))
    }
}

// === impl FileId ===

impl FileId {
    /// Of an open file.
    ///
    /// # Errors
    /// When it cannot be examined.
    pub fn of(file: impl AsFd) -> io::Result<Self> {
        let facts = rustix::fs::fstat(file)?;
        Ok(Self {
            device: facts.st_dev,
            inode: facts.st_ino,
        })
    }

    /// Of what is at a path, which is not opened.
    ///
    /// # Errors
    /// When there is nothing, or it cannot be examined.
    pub fn at(path: &Path) -> io::Result<Self> {
        Self::of(rustix::fs::open(
            path,
            OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC,
            Mode::empty(),
        )?)
    }
}

// === impl MountNamespace ===

impl MountNamespace {
    /// What a process sees; with `root` as seen from its own root, for a container that has not changed its root yet.
    ///
    /// # Errors
    /// When the process is gone, or the root is not a folder.
    pub fn of_process(pid: u32, root: Option<&Path>) -> Result<Self, KernelError> {
        let path = PathBuf::from(format!("/proc/{pid}"));
        let failed = |error: rustix::io::Errno| KernelError::file("open", &path, error);
        let folder = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        // All three through one descriptor, so that they are of one process whatever becomes of its number.
        let process = openat(CWD, &path, folder, Mode::empty()).map_err(failed)?;
        let read = OFlags::RDONLY | OFlags::CLOEXEC;
        let namespace = openat(&process, "ns/mnt", read, Mode::empty()).map_err(failed)?;
        let mut top = openat(&process, "root", folder, Mode::empty()).map_err(failed)?;
        if let Some(root) = root {
            top = openat2(&top, root, folder, Mode::empty(), within_root())
                .map_err(|error| KernelError::file("open", root, error))?;
        }
        let id = MountNamespaceId::of(namespace.as_fd())?;
        Ok(Self {
            process,
            namespace,
            root: top,
            id,
        })
    }

    /// Whether its root is the host's: then it is no container, whatever namespaces it has.
    #[must_use]
    pub fn has_root_of_host(&self) -> bool {
        let host = rustix::fs::open("/", OFlags::PATH | OFlags::CLOEXEC, Mode::empty());
        let host = host.ok().and_then(|root| FileId::of(root).ok());
        FileId::of(&self.root)
            .ok()
            .is_none_or(|own| Some(own) == host)
    }

    /// Which one it is.
    #[must_use]
    pub fn id(&self) -> MountNamespaceId {
        self.id
    }

    /// The root, as a path only.
    #[must_use]
    pub fn root(&self) -> BorrowedFd<'_> {
        self.root.as_fd()
    }

    /// Where, seen from the root, something is mounted that is not of this kernel's own file systems: whoever looks into it
    /// may wait for ever.
    ///
    /// # Errors
    /// When the mounts cannot be listed.
    pub fn foreign(&self) -> Result<HashSet<PathBuf>, KernelError> {
        Ok(Mounts::read(&self.process)?.into_foreign())
    }

    /// The file or folder that shows at a path, seen from the root; none when there is none.
    #[must_use]
    pub fn shown(&self, path: &Path) -> Option<FileId> {
        FileId::of(self.open(path, OFlags::NOFOLLOW)?).ok()
    }

    /// The mount that the root is: another one when the process has changed its root.
    ///
    /// # Errors
    /// When the kernel does not say.
    pub fn root_mount(&self) -> Result<u64, KernelError> {
        mount_of(&self.root).map_err(|error| KernelError::call("examining a root", error))
    }

    /// The process's environment, at most `limit` bytes of it, as it was at its start.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn environ(&self, limit: u64) -> Result<Vec<u8>, KernelError> {
        let failed = |error: io::Error| KernelError::call("reading an environment", error);
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let file = openat(&self.process, "environ", flags, Mode::empty())
            .map_err(|error| failed(error.into()))?;
        let mut environ = Vec::new();
        File::from(file)
            .take(limit)
            .read_to_end(&mut environ)
            .map_err(failed)?;
        Ok(environ)
    }

    /// Lays each source over its target, read-only, and says for each in turn what came of it. Does not follow a mount out
    /// of the namespace: where the target's mount hands on to ours what happens in it, nothing is laid.
    ///
    /// # Errors
    /// When the namespace cannot be entered; then nothing has been laid.
    pub fn cover(&self, covers: &[Cover]) -> Result<Vec<io::Result<()>>, KernelError> {
        let theirs = Mounts::read(&self.process)?;
        let ours = Mounts::own()?;
        let prepared: Vec<io::Result<OwnedFd>> = covers
            .iter()
            .map(|cover| {
                let mount = mount_of(&cover.target)?;
                if theirs
                    .group(mount)
                    .is_some_and(|group| ours.has_group(group))
                {
                    return Err(io::Error::other(
                        "mounts made there would show on the host as well",
                    ));
                }
                detached(&cover.source)
            })
            .collect();
        self.within(|| {
            let lay = |(cover, source): (&Cover, io::Result<OwnedFd>)| {
                let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH
                    | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
                move_mount(source?, c"", &cover.target, c"", flags)?;
                Ok(())
            };
            Ok(covers.iter().zip(prepared).map(lay).collect())
        })
    }

    /// Takes away every mount on top of which one of `files` shows. Returns how many.
    ///
    /// # Errors
    /// When the namespace cannot be entered or its mounts cannot be listed.
    pub fn uncover(&self, files: &HashSet<FileId>) -> Result<usize, KernelError> {
        let points = Mounts::read(&self.process)?.into_points();
        let found: Vec<(OwnedFd, OsString)> = points
            .iter()
            .rev()
            .filter_map(|point| self.parent_if(point, files))
            .take(MAX_UNCOVERED)
            .collect();
        if found.is_empty() {
            return Ok(0);
        }
        self.within(|| {
            let mut count = 0;
            for (parent, name) in &found {
                // What was unmounted by others meanwhile is not ours to mend.
                let gone = rustix::process::fchdir(parent).and_then(|()| {
                    unmount(
                        name.as_os_str(),
                        UnmountFlags::DETACH | UnmountFlags::NOFOLLOW,
                    )
                });
                count += usize::from(gone.is_ok());
            }
            Ok(count)
        })
    }

    /// The folder and the name of a mount point, if what shows there is one of `files`.
    fn parent_if(&self, point: &Path, files: &HashSet<FileId>) -> Option<(OwnedFd, OsString)> {
        if !files.contains(&self.shown(point)?) {
            return None;
        }
        let name = point.file_name()?.to_owned();
        let parent = self.open(point.parent()?, OFlags::NOFOLLOW | OFlags::DIRECTORY)?;
        Some((parent, name))
    }

    /// Opens what is at a path of the container, as a path only.
    fn open(&self, path: &Path, flags: OFlags) -> Option<OwnedFd> {
        let path = path.strip_prefix("/").unwrap_or(path);
        let path = if path.as_os_str().is_empty() {
            Path::new(".")
        } else {
            path
        };
        let flags = flags | OFlags::PATH | OFlags::CLOEXEC;
        openat2(&self.root, path, flags, Mode::empty(), within_root()).ok()
    }

    /// Does something inside.
    fn within<T: Send>(
        &self,
        task: impl FnOnce() -> Result<T, KernelError> + Send,
    ) -> Result<T, KernelError> {
        let inside = || {
            // SAFETY: root and working directory are no longer shared with other threads; this one ends right after.
            unsafe { rustix::thread::unshare_unsafe(UnshareFlags::FS) }
                .map_err(|error| KernelError::call("leaving the shared root", error))?;
            move_into_link_name_space(self.namespace.as_fd(), Some(LinkNameSpaceType::Mount))
                .map_err(|error| KernelError::call("entering a mount namespace", error))?;
            task()
        };
        thread::scope(|scope| {
            let handle = thread::Builder::new()
                .name("mounts".into())
                .spawn_scoped(scope, inside)
                .map_err(|error| KernelError::call("starting a thread", error))?;
            handle.join().unwrap_or_else(|_| {
                Err(KernelError::call(
                    "working in a mount namespace",
                    io::Error::other("the thread panicked"),
                ))
            })
        })
    }
}

/// Links of a container lead to places in the container, and those of /proc nowhere.
fn within_root() -> ResolveFlags {
    ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS
}

/// The number of the mount that a file was reached through.
fn mount_of(file: impl AsFd) -> io::Result<u64> {
    let flags = AtFlags::EMPTY_PATH | AtFlags::SYMLINK_NOFOLLOW;
    let facts = statx(file, c"", flags, StatxFlags::MNT_ID)?;
    Ok(facts.stx_mnt_id)
}

/// A mount of one file of ours that is nowhere yet, and that can be used for nothing but reading.
fn detached(source: &Path) -> io::Result<OwnedFd> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    let tree = open_tree(CWD, source.as_os_str().as_bytes(), flags)?;
    let attributes = libc::mount_attr {
        attr_set: libc::MOUNT_ATTR_RDONLY
            | libc::MOUNT_ATTR_NOSUID
            | libc::MOUNT_ATTR_NODEV
            | libc::MOUNT_ATTR_NOEXEC,
        attr_clr: 0,
        // What happens in the container stays there.
        propagation: libc::MS_PRIVATE,
        userns_fd: 0,
    };
    // SAFETY: the descriptor is a mount's, the path is empty and ends with zero, and the structure is as long as is said.
    let done = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            tree.as_raw_fd(),
            c"".as_ptr(),
            libc::AT_EMPTY_PATH,
            &raw const attributes,
            size_of::<libc::mount_attr>(),
        )
    };
    if done != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(tree)
}

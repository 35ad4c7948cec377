//! Where an instance pins what must outlive it, and the lock that says it lives.
//!
//! Below the place: `v<ABI>/<MAP>` for maps, `links/<cgroup id>/<program>` for links on cgroups,
//! `seals/<netns cookie>/<device>` for those on wires. The lock is held on the folder itself
//! for as long as the process lives, so a dead instance's pins can be told from a live one's.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use enforcer_common::ABI;
use enforcer_flow::{CgroupId, NetnsCookie};
use rustix::fs::{FlockOperation, FsWord, flock, statfs};
use rustix::io::Errno;
use rustix::mount::{MountFlags, mount};

use crate::hooks;
use crate::{KernelError, link};

/// The file system type, from `linux/magic.h`.
const BPF_FS_MAGIC: FsWord = 0xcafe_4a11;
/// Where the file system belongs.
const BPF_FS: &str = "/sys/fs/bpf";

/// One instance's place, locked.
pub(crate) struct Pins {
    root: PathBuf,
    // Held for its lock alone.
    lock: File,
}

impl Pins {
    /// Makes the place, mounts the file system if that is missing, and locks it.
    pub(crate) fn claim(root: &Path) -> Result<Self, KernelError> {
        let path = root.to_path_buf();
        mount_missing(root)?;
        let above = root.parent().unwrap_or(root);
        create(above)?;
        let _alone = guard(above)?;
        create(root)?;
        if !in_bpf_fs(root)? {
            return Err(KernelError::Pins { path });
        }
        Self::lock(root)?.ok_or(KernelError::Busy { path })
    }

    /// Locks a place that is there; `None` when its instance lives.
    pub(crate) fn lock(root: &Path) -> Result<Option<Self>, KernelError> {
        let folder = File::open(root).map_err(|error| KernelError::file("open", root, error))?;
        match flock(&folder, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Self {
                root: root.to_path_buf(),
                lock: folder,
            })),
            Err(Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(KernelError::file("lock", root, error)),
        }
    }

    /// The folder of maps with the layouts this build knows, made if need be.
    pub(crate) fn maps(&self) -> Result<PathBuf, KernelError> {
        let folder = self.root.join(format!("v{ABI}"));
        create(&folder)?;
        Ok(folder)
    }

    /// The folder of one cgroup's links.
    pub(crate) fn links(&self, id: CgroupId) -> PathBuf {
        self.root.join("links").join(id.to_string())
    }

    /// The cgroups that have links.
    pub(crate) fn linked(&self) -> Vec<CgroupId> {
        let entries = fs::read_dir(self.root.join("links"));
        let names = entries.into_iter().flatten().flatten();
        names
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok().map(CgroupId))
            .collect()
    }

    /// The folder of the links on one namespace's wires.
    pub(crate) fn seals(&self, netns: NetnsCookie) -> PathBuf {
        self.root.join("seals").join(netns.to_string())
    }

    /// The namespaces with links on their wires.
    pub(crate) fn sealed(&self) -> Vec<NetnsCookie> {
        let entries = fs::read_dir(self.root.join("seals"));
        let names = entries.into_iter().flatten().flatten();
        names
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok().map(NetnsCookie))
            .collect()
    }

    /// Removes the maps of other layouts, which only a predecessor's programs used.
    pub(crate) fn forget_old_maps(&self) -> Result<(), KernelError> {
        let current = format!("v{ABI}");
        let entries = fs::read_dir(&self.root)
            .map_err(|error| KernelError::file("list", &self.root, error))?;
        for entry in entries.flatten() {
            let name = entry.file_name();
            let old = |name: &str| name.starts_with('v') && name != current;
            if name.to_str().is_some_and(old) {
                remove(&entry.path())?;
            }
        }
        Ok(())
    }

    /// Takes all programs off one cgroup, the backstop first, and removes their pins.
    pub(crate) fn unlink(&self, id: CgroupId) -> Result<(), KernelError> {
        let links = self.links(id);
        for hook in hooks::all().rev() {
            link::unpin(&links.join(hook.name))?;
        }
        remove(&links)
    }

    /// Takes off programs of a predecessor's that are not wanted any more.
    pub(crate) fn unlink_all_but(
        &self,
        id: CgroupId,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<(), KernelError> {
        let links = self.links(id);
        let entries =
            fs::read_dir(&links).map_err(|error| KernelError::file("list", &links, error))?;
        for entry in entries.flatten() {
            let name = entry.file_name();
            if !name.to_str().is_some_and(&wanted) {
                link::unpin(&entry.path())?;
            }
        }
        Ok(())
    }

    /// Takes all programs off, removes every pin and the place itself.
    pub(crate) fn release(self) -> Result<(), KernelError> {
        for id in self.linked() {
            self.unlink(id)?;
        }
        remove(&self.root)
    }
}

impl Drop for Pins {
    fn drop(&mut self) {
        // Closing is not enough: a child that another thread forked, and that did not yet run its command, holds a copy.
        let _ = flock(&self.lock, FlockOperation::Unlock);
    }
}

/// Makes a folder and those above it.
pub(crate) fn create(folder: &Path) -> Result<(), KernelError> {
    fs::create_dir_all(folder).map_err(|error| KernelError::file("create", folder, error))
}

/// Removes a folder and all in it; it need not be there.
pub(crate) fn remove(folder: &Path) -> Result<(), KernelError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(KernelError::file("remove", folder, error))
        }
        _ => Ok(()),
    }
}

/// Waits until nobody else claims or prunes below `folder`, and keeps others from it: a place that was just made must not
/// be taken for a dead one's.
pub(crate) fn guard(folder: &Path) -> Result<File, KernelError> {
    let file = File::open(folder).map_err(|error| KernelError::file("open", folder, error))?;
    flock(&file, FlockOperation::LockExclusive)
        .map_err(|error| KernelError::file("lock", folder, error))?;
    Ok(file)
}

fn mount_missing(root: &Path) -> Result<(), KernelError> {
    if root.starts_with(BPF_FS) && !in_bpf_fs(Path::new(BPF_FS))? {
        let options = c"mode=0700";
        mount("bpf", BPF_FS, "bpf", MountFlags::empty(), options)
            .map_err(|error| KernelError::call("mounting a BPF file system", error))?;
    }
    Ok(())
}

fn in_bpf_fs(path: &Path) -> Result<bool, KernelError> {
    match statfs(path) {
        Ok(about) => Ok(about.f_type == BPF_FS_MAGIC),
        Err(Errno::NOENT) => Ok(false),
        Err(error) => Err(KernelError::file("look at", path, error)),
    }
}

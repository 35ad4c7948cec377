//! Cgroups: their ids, and which of them must not be enforced.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd, RawFd};
use std::os::unix::fs::{DirEntryExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use enforcer_flow::CgroupId;
use rustix::fs::{FsWord, Mode, OFlags, fstatfs, openat, statfs};
use rustix::io::Errno;

use crate::{KernelError, mountinfo};

/// The file system type, from `linux/magic.h`.
const CGROUP2_MAGIC: FsWord = 0x6367_7270;

/// The kind of file handle that pseudo file systems hand out, from `linux/exportfs.h`.
const FILEID_KERNFS: i32 = 0xfe;

/// `struct file_handle`, name_to_handle_at(2), with a cgroup's id in it.
#[repr(C, packed(4))]
struct Handle {
    length: u32,
    kind: i32,
    id: u64,
}

/// The id of the cgroup that `dir` is: its inode number.
///
/// # Errors
/// When the directory cannot be read, or is not one of cgroup2.
pub fn cgroup_id(dir: &Path) -> Result<CgroupId, KernelError> {
    open(dir).map(|(_, id)| id)
}

/// Where cgroup2 is mounted: alone at /sys/fs/cgroup, beside version 1, or wherever it is. Of several mounts, the first that
/// shows: another may have been covered since.
pub(crate) fn mount() -> Result<PathBuf, KernelError> {
    let mounts = mountinfo::mounted()?.into_iter();
    let places = mounts.filter(|mount| mount.kind == "cgroup2");
    places
        .map(|mount| mount.place)
        .find(|place| is_cgroup2(place))
        .ok_or(KernelError::Cgroup2)
}

fn is_cgroup2(place: &Path) -> bool {
    statfs(place).is_ok_and(|about| about.f_type == CGROUP2_MAGIC)
}

/// The ids of the cgroup that `dir` is, and of those below it. One that is made meanwhile may be missed.
pub(crate) fn subtree(dir: &Path) -> Result<HashSet<CgroupId>, KernelError> {
    let (_, id) = open(dir)?;
    let mut ids = HashSet::from([id]);
    let mut folders = vec![dir.to_path_buf()];
    while let Some(folder) = folders.pop() {
        // It may be gone by now, as any below it.
        let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
        for entry in entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
            ids.insert(CgroupId(entry.ino()));
            folders.push(entry.path());
        }
    }
    Ok(ids)
}

/// Whether the cgroup `id` is no more. What cannot be found out counts as still there.
pub(crate) fn is_gone(mount: &Path, id: CgroupId) -> bool {
    let found = File::open(mount).and_then(|mount| open_id(&mount, id));
    found.is_ok_and(|folder| folder.is_none())
}

/// Opens a cgroup's directory to hang programs on it: it must be `id`, not the root, and not hold ourselves.
pub(crate) fn open_agent(dir: &Path, id: CgroupId) -> Result<File, KernelError> {
    let (folder, found) = open(dir)?;
    let path = dir.to_path_buf();
    if found != id {
        return Err(KernelError::Cgroup { path, id });
    }
    // Every cgroup has this file but the root.
    if !dir.join("cgroup.type").exists() {
        return Err(KernelError::Root { path });
    }
    if holds_ourselves(dir, id) {
        return Err(KernelError::Own { id });
    }
    Ok(folder)
}

/// Whether the cgroup `id` exists and it or one below it holds processes; `hierarchy` is any directory of cgroup2.
pub(crate) fn populated(hierarchy: &Path, id: CgroupId) -> io::Result<bool> {
    let Some(folder) = open_id(&File::open(hierarchy)?, id)? else {
        return Ok(false);
    };
    let events = match openat(&folder, "cgroup.events", OFlags::RDONLY, Mode::empty()) {
        // It was removed since.
        Err(Errno::NODEV | Errno::NOENT) => return Ok(false),
        events => events?,
    };
    let mut text = String::new();
    File::from(events).read_to_string(&mut text)?;
    Ok(!text.lines().any(|line| line == "populated 0"))
}

/// Opens a cgroup by its id, which is what the kernel makes a file handle of; `None` when it is gone.
fn open_id(hierarchy: &File, id: CgroupId) -> io::Result<Option<OwnedFd>> {
    let mut handle = Handle {
        length: 8,
        kind: FILEID_KERNFS,
        id: id.0,
    };
    // SAFETY: the structure is a file handle of the length it states.
    let fd = unsafe {
        libc::syscall(
            libc::SYS_open_by_handle_at,
            hierarchy.as_raw_fd(),
            &raw mut handle,
            libc::O_RDONLY | libc::O_DIRECTORY | libc::O_CLOEXEC,
        )
    };
    match RawFd::try_from(fd) {
        // SAFETY: the kernel just made this descriptor, and nobody else knows it.
        Ok(fd) if fd >= 0 => Ok(Some(unsafe { OwnedFd::from_raw_fd(fd) })),
        _ => match io::Error::last_os_error() {
            error if error.raw_os_error() == Some(libc::ESTALE) => Ok(None),
            error => Err(error),
        },
    }
}

fn open(dir: &Path) -> Result<(File, CgroupId), KernelError> {
    let failed = |error| KernelError::file("open", dir, error);
    let folder = File::open(dir).map_err(failed)?;
    let about = fstatfs(&folder).map_err(|error| failed(error.into()))?;
    if about.f_type != CGROUP2_MAGIC {
        return Err(KernelError::NotCgroup2 {
            path: dir.to_path_buf(),
        });
    }
    let id = folder.metadata().map_err(failed)?.ino();
    Ok((folder, CgroupId(id)))
}

/// Whether this process is in the cgroup or below it. `dir` gives the mount to look in: a cgroup above ours is among the
/// directories that lead to ours.
fn holds_ourselves(dir: &Path, id: CgroupId) -> bool {
    let Some(own) = own_path() else {
        return false;
    };
    let Some(mount) = mount_of(dir) else {
        return false;
    };
    let own = mount.join(own.strip_prefix("/").unwrap_or(&own));
    own.ancestors()
        .take_while(|above| above.starts_with(&mount))
        .any(|above| fs::metadata(above).is_ok_and(|about| about.ino() == id.0))
}

/// This process's cgroup2 path: the line that starts with `0::`, wherever it stands.
fn own_path() -> Option<PathBuf> {
    let lines = fs::read_to_string("/proc/self/cgroup").ok()?;
    let path = lines.lines().find_map(|line| line.strip_prefix("0::"))?;
    Some(path.into())
}

/// The topmost directory above `dir` that is on the same file system.
fn mount_of(dir: &Path) -> Option<PathBuf> {
    let dir = fs::canonicalize(dir).ok()?;
    let device = fs::metadata(&dir).ok()?.dev();
    let same = |above: &&Path| fs::metadata(above).is_ok_and(|about| about.dev() == device);
    dir.ancestors()
        .take_while(same)
        .last()
        .map(Path::to_path_buf)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_that_is_covered_is_no_place_to_look_in() {
        assert!(!is_cgroup2(Path::new("/proc")));
        if let Ok(place) = mount() {
            assert!(cgroup_id(&place).is_ok(), "{}", place.display());
        }
    }

    #[test]
    fn an_ordinary_folder_is_no_cgroup() {
        let folder = tempfile::tempdir().unwrap();
        let answer = cgroup_id(folder.path());
        assert!(
            matches!(answer, Err(KernelError::NotCgroup2 { .. })),
            "{answer:?}"
        );
    }
}

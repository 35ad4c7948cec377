//! The cgroup v2 tree of this machine, wherever it is mounted.

use std::fs;
use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use enforcer_flow::CgroupId;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use crate::{Cgroup, CgroupError};

mod mountinfo;
#[cfg(test)]
mod tests;

/// `CGROUP2_SUPER_MAGIC` of `linux/magic.h`.
const MAGIC: u64 = 0x6367_7270;

/// The mounted tree. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Hierarchy {
    mount: Arc<Path>,
    root: CgroupId,
}

impl Hierarchy {
    /// Finds the tree in `/proc/self/mountinfo`: at `/sys/fs/cgroup` where there is only version 2, beside version 1 at
    /// `/sys/fs/cgroup/unified`, or anywhere else.
    ///
    /// # Errors
    /// When it is not mounted, or only a part of it is.
    pub fn discover() -> Result<Self, CgroupError> {
        let path = Path::new("/proc/self/mountinfo");
        let text = fs::read(path).map_err(CgroupError::io("read", path))?;
        let mut partial = None;
        for mountinfo::Mount { point, root } in mountinfo::cgroup2_mounts(&text) {
            // Something else may be mounted over it by now.
            let Ok(top) = open_dir(&point) else { continue };
            if root == "/" {
                let root = id_of(&top, &point)?;
                return Ok(Self {
                    mount: point.into(),
                    root,
                });
            }
            partial.get_or_insert(CgroupError::Partial { mount: point, root });
        }
        Err(partial.unwrap_or(CgroupError::NotMounted))
    }

    /// Where it is mounted.
    #[must_use]
    pub fn mount(&self) -> &Path {
        &self.mount
    }

    /// The id of its root.
    #[must_use]
    pub fn root(&self) -> CgroupId {
        self.root
    }

    /// Opens a cgroup by its directory (`/sys/fs/cgroup/agents/a`) or by its path below the mount (`/agents/a`), as
    /// `/proc/PID/cgroup` shows it.
    ///
    /// # Errors
    /// When there is no such cgroup, or the path leaves the tree.
    pub fn open(&self, path: &Path) -> Result<Cgroup, CgroupError> {
        let path = match fs::canonicalize(path) {
            Ok(real) if real.starts_with(&self.mount) => real,
            Ok(_) | Err(_) => path.to_owned(),
        };
        let below = path.strip_prefix(&self.mount).unwrap_or(&path);
        self.open_below(&below_mount(below)?)
    }

    /// Makes a new cgroup; those above it are made if they are missing and stay when it is removed.
    ///
    /// # Errors
    /// When it exists already, or the system says no.
    pub fn create(&self, below: &str) -> Result<Cgroup, CgroupError> {
        let path = below_mount(Path::new(below))?;
        let mut dir = self.mount.to_path_buf();
        let mut made = Err(Errno::EXIST);
        for name in path.split('/').filter(|name| !name.is_empty()) {
            dir.push(name);
            made = rustix::fs::mkdir(&dir, Mode::from_raw_mode(0o755));
            match made {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(error) => return Err(CgroupError::io("make the cgroup", &dir)(error)),
            }
        }
        match made {
            Ok(()) => self.open_below(&path),
            Err(_) => Err(CgroupError::Exists { path }),
        }
    }

    /// The cgroup a process is in now.
    ///
    /// # Errors
    /// When there is no such process, or its cgroup is not below this mount.
    pub fn of_process(&self, pid: u32) -> Result<Cgroup, CgroupError> {
        let file = PathBuf::from(format!("/proc/{pid}/cgroup"));
        let text = fs::read(&file).map_err(CgroupError::io("read", &file))?;
        let path = unified_path(&text).ok_or(CgroupError::Unseen { pid })?;
        self.open_below(&below_mount(Path::new(path))?)
    }

    /// Opens by a path that [`below_mount`] has normalised.
    pub(crate) fn open_below(&self, path: &str) -> Result<Cgroup, CgroupError> {
        let dir = self.mount.join(path.trim_start_matches('/'));
        let opened = open_dir(&dir).map_err(|error| match error {
            Errno::NOENT | Errno::NOTDIR | Errno::NODEV => {
                CgroupError::Missing { path: dir.clone() }
            }
            error => CgroupError::io("open the cgroup", &dir)(error),
        })?;
        let id = id_of(&opened, &dir)?;
        Ok(Cgroup::new(path.into(), dir.into(), id, opened))
    }
}

/// The path of the cgroup that a process is in, unless that is not visible here.
#[must_use]
pub fn path_of_process(pid: u32) -> Option<String> {
    let text = fs::read(format!("/proc/{pid}/cgroup")).ok()?;
    unified_path(&text).map(str::to_owned)
}

/// Opens a directory of a cgroup2 file system.
fn open_dir(dir: &Path) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let opened = rustix::fs::open(dir, flags, Mode::empty())?;
    let kind = rustix::fs::fstatfs(&opened)?.f_type;
    // The type's width and sign differ between architectures; the magic fits all of them.
    if u64::try_from(kind) == Ok(MAGIC) {
        Ok(opened)
    } else {
        Err(Errno::NOTDIR)
    }
}

fn id_of(opened: &OwnedFd, dir: &Path) -> Result<CgroupId, CgroupError> {
    let stat = rustix::fs::fstat(opened).map_err(CgroupError::io("look at", dir))?;
    Ok(CgroupId(stat.st_ino))
}

/// The normal form of a path below the mount: `/` or `/a/b`.
fn below_mount(path: &Path) -> Result<String, CgroupError> {
    let refuse = |why| CgroupError::Name {
        path: path.to_owned(),
        why,
    };
    let mut normal = String::new();
    for component in path.components() {
        match component {
            Component::RootDir | Component::CurDir => {}
            Component::ParentDir => return Err(refuse("it leaves the hierarchy")),
            Component::Prefix(_) => return Err(refuse("it has a prefix")),
            Component::Normal(name) => {
                let name = name.to_str().ok_or_else(|| refuse("it is not UTF-8"))?;
                if name.chars().any(char::is_control) {
                    return Err(refuse("it has control characters"));
                }
                normal.push('/');
                normal.push_str(name);
            }
        }
    }
    if normal.is_empty() {
        normal.push('/');
    }
    Ok(normal)
}

/// The path on the `0::` line of `/proc/PID/cgroup` (cgroups(7)); the other lines are of version 1. None when the cgroup
/// has been removed or lies outside the reader's cgroup namespace.
fn unified_path(text: &[u8]) -> Option<&str> {
    let mut lines = text.split(|byte| *byte == b'\n');
    let path = lines.find_map(|line| line.strip_prefix(b"0::"))?;
    let path = std::str::from_utf8(path).ok()?;
    let visible = !path.ends_with(" (deleted)") && !path.starts_with("/..");
    visible.then_some(path)
}

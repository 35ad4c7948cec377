//! Unix sockets that show in a container and are not its own: services outside would act for whoever connects them.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, OFlags};

use super::{FileId, MountNamespace, Mounts};
use crate::KernelError;

/// Most sockets that are looked for in each mount, and most that are found: a host has some tens.
const MAX_SOCKETS: usize = 4096;
/// How far below a mount a socket may stand.
const MAX_BELOW: usize = 16;

/// A socket that shows in a container.
#[derive(Debug)]
pub struct ShownSocket {
    /// Where, seen from the container's root.
    pub path: PathBuf,
    /// Opened there, as a path only.
    pub target: OwnedFd,
    /// Which file it is.
    pub id: FileId,
}

impl MountNamespace {
    /// The sockets that are mounted here by themselves, and those of `outside` in folders that are mounted here. Sockets in
    /// the file system of the root are the container's own.
    ///
    /// # Errors
    /// When the mounts cannot be listed.
    pub fn sockets(
        &self,
        outside: &HashMap<FileId, PathBuf>,
    ) -> Result<Vec<ShownSocket>, KernelError> {
        let mounts = Mounts::read(&self.process)?;
        let mut found = Vec::new();
        for point in mounts.below(self.root_mount()?) {
            let Some(mounted) = self.open(&point, OFlags::NOFOLLOW) else {
                continue;
            };
            let Ok(facts) = rustix::fs::fstat(&mounted) else {
                continue;
            };
            match FileType::from_raw_mode(facts.st_mode) {
                FileType::Socket => found.extend(shown(point, mounted)),
                FileType::Directory => {
                    let here = outside.iter().filter(|(id, _)| id.device == facts.st_dev);
                    found.extend(here.filter_map(|(id, path)| self.below(&point, path, *id)));
                }
                _ => {}
            }
            if found.len() > MAX_SOCKETS {
                return Err(KernelError::call(
                    "looking for sockets of the host in a container",
                    std::io::Error::other("there are too many"),
                ));
            }
        }
        Ok(found)
    }

    /// A socket of the host, if it shows below a mount: what the host calls it ends as the mount does.
    fn below(&self, point: &Path, outside: &Path, id: FileId) -> Option<ShownSocket> {
        let parts: Vec<_> = outside.iter().collect();
        let ends = (1..parts.len().min(MAX_BELOW)).map(|count| &parts[parts.len() - count..]);
        ends.map(|end| point.join(end.iter().collect::<PathBuf>()))
            .filter_map(|path| {
                let target = self.open(&path, OFlags::NOFOLLOW)?;
                shown(path, target)
            })
            .find(|socket| socket.id == id)
    }
}

fn shown(path: PathBuf, target: OwnedFd) -> Option<ShownSocket> {
    let id = FileId::of(&target).ok()?;
    Some(ShownSocket { path, target, id })
}

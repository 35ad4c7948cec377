//! The socket's file: one enforcer holds it, only its user can reach it, and it is gone afterwards.

use std::fs::{self, DirBuilder, File, Permissions};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use rustix::fs::FlockOperation;
use rustix::io::Errno;

use super::ServerError;

/// A bound socket and the lock that says whose it is. The kernel drops the lock with the process, so what a killed
/// enforcer left behind is known for what it is.
#[derive(Debug)]
pub(super) struct Socket {
    path: PathBuf,
    listener: UnixListener,
    _lock: File,
}

impl Socket {
    pub(super) fn bind(path: &Path) -> Result<Self, ServerError> {
        make_folder(path)?;
        let lock = lock(path)?;
        // Bound under another name and moved there, so that the socket never can be reached with a looser mode.
        let fresh = with_suffix(path, "new");
        remove(&fresh)?;
        let listener = UnixListener::bind(&fresh).map_err(ServerError::io("bind", &fresh))?;
        fs::set_permissions(&fresh, Permissions::from_mode(0o600))
            .map_err(ServerError::io("restrict", &fresh))?;
        fs::rename(&fresh, path).map_err(ServerError::io("put in place", path))?;
        Ok(Self {
            path: path.to_owned(),
            listener,
            _lock: lock,
        })
    }

    /// The listening socket, ready for a runtime.
    pub(super) fn listener(&self) -> Result<UnixListener, ServerError> {
        let listener = self.listener.try_clone();
        listener
            .and_then(|listener| listener.set_nonblocking(true).map(|()| listener))
            .map_err(ServerError::io("listen on", &self.path))
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // The lock file stays: removing it would let two enforcers hold locks on two files of the same name.
        if let Err(error) = remove(&self.path) {
            tracing::warn!(%error, "control socket was not removed");
        }
    }
}

/// The folder is made for root alone to write; one that is there is taken as the operator made it.
fn make_folder(path: &Path) -> Result<(), ServerError> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(folder)
        .map_err(ServerError::io("make the folder", folder))
}

fn lock(path: &Path) -> Result<File, ServerError> {
    let name = with_suffix(path, "lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&name)
        .map_err(ServerError::io("open", &name))?;
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(Errno::WOULDBLOCK) => Err(ServerError::InUse {
            socket: path.to_owned(),
        }),
        Err(error) => Err(ServerError::io("lock", &name)(error)),
    }
}

fn remove(path: &Path) -> Result<(), ServerError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(ServerError::io("remove", path)(error))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    name.into()
}

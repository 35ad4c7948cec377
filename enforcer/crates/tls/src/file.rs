//! Files that others must never see half-written, nor see at all.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use aws_lc_rs::rand;

use crate::TlsError;

/// What a file is for: who may read it, and whether it must outlast a loss of power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// For all, and made anew at every start: 0644, not waited for.
    Derived,
    /// For all, and made once: 0644, on disk before it is seen.
    Public,
    /// For the owner, and made once: 0600, on disk before it is seen.
    Secret,
}

/// Puts `content` at `path` under its final name only once it is whole.
///
/// The mode is exact, whatever the umask, before the first byte is written.
pub(crate) fn write(path: &Path, content: &[u8], kind: Kind) -> Result<(), TlsError> {
    let temporary = temporary(path).map_err(failed("write", path))?;
    replace(&temporary, path, content, kind).map_err(|source| {
        // The first error is the one to report.
        let _ = fs::remove_file(&temporary);
        failed("write", path)(source)
    })
}

/// A name beside `path` that no other writer picks, in this process or another.
fn temporary(path: &Path) -> io::Result<PathBuf> {
    let mut random = [0; 8];
    rand::fill(&mut random).map_err(|_| io::Error::other("no randomness"))?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{:016x}.tmp", u64::from_ne_bytes(random)));
    Ok(path.with_file_name(name))
}

fn replace(temporary: &Path, path: &Path, content: &[u8], kind: Kind) -> io::Result<()> {
    let mode = match kind {
        Kind::Secret => 0o600,
        Kind::Derived | Kind::Public => 0o644,
    };
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(temporary)?;
    file.set_permissions(fs::Permissions::from_mode(mode))?;
    file.write_all(content)?;
    if kind == Kind::Derived {
        return fs::rename(temporary, path);
    }
    file.sync_all()?;
    fs::rename(temporary, path)?;
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
        Some(_) | None => File::open(".")?.sync_all(),
    }
}

/// Makes a folder for the owner alone, parents included, or accepts one that nobody else can write.
pub(crate) fn private_folder(path: &Path) -> Result<(), TlsError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(failed("create", path))?;
    let mode = fs::metadata(path).map_err(failed("examine", path))?.mode() & 0o7777;
    if mode & 0o022 == 0 {
        Ok(())
    } else {
        Err(TlsError::Folder {
            path: path.to_owned(),
            mode,
        })
    }
}

/// Makes a folder that all may read.
pub(crate) fn public_folder(path: &Path) -> Result<(), TlsError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(path)
        .map_err(failed("create", path))
}

/// Holds `path` for this process until dropped; waits for another that holds it. The system lets go when a holder dies.
pub(crate) fn lock(path: &Path) -> Result<File, TlsError> {
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(failed("open", path))?;
    file.lock().map_err(failed("lock", path))?;
    Ok(file)
}

/// Names the operation and the file of an I/O error.
pub(crate) fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> TlsError {
    let path = path.to_owned();
    move |source| TlsError::File {
        action,
        path,
        source,
    }
}

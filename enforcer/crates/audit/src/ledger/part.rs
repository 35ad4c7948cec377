//! One file of the series, open for writing.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{FlockOperation, Mode, OFlags, flock, open};

use super::journal::Store;

/// A file that this process has locked, or a full one that is only read.
#[derive(Debug)]
pub(crate) struct Part {
    file: Arc<File>,
    /// Its place in the series, counted from one.
    pub(crate) number: u64,
    /// The ledger it belongs to.
    pub(crate) ledger: String,
}

/// How a file may come to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Creation {
    /// It must not exist yet.
    Fresh,
    /// It may or may not exist.
    IfMissing,
    /// It must exist.
    Never,
}

impl Part {
    pub(crate) fn new(file: File, number: u64, ledger: String) -> Self {
        Self {
            file: Arc::new(file),
            number,
            ledger,
        }
    }

    pub(crate) fn file(&self) -> Arc<File> {
        Arc::clone(&self.file)
    }
}

impl Store for Part {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (&*self.file).write(bytes)
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.file.set_len(length)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn length(&self) -> io::Result<Option<u64>> {
        let metadata = self.file.metadata()?;
        Ok((metadata.nlink() > 0).then_some(metadata.len()))
    }
}

/// Opens a regular file for reading and appending; a symbolic link is not followed.
pub(crate) fn open_for_append(path: &Path, creation: Creation) -> io::Result<File> {
    let create = match creation {
        Creation::Fresh => OFlags::CREATE | OFlags::EXCL,
        Creation::IfMissing => OFlags::CREATE,
        Creation::Never => OFlags::empty(),
    };
    // O_NONBLOCK changes nothing for a regular file; it keeps a pipe in its place from stalling the start.
    let flags = OFlags::RDWR
        | OFlags::APPEND
        | OFlags::CLOEXEC
        | OFlags::NOFOLLOW
        | OFlags::NONBLOCK
        | create;
    Ok(open(path, flags, Mode::RUSR | Mode::WUSR)?.into())
}

/// Locks the file against other writers, or says that one is there.
pub(crate) fn try_lock(file: &File) -> io::Result<bool> {
    match flock(file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(true),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Whether `path` still names this open file.
pub(crate) fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let here = file.metadata()?;
    match fs::symlink_metadata(path) {
        Ok(there) => Ok(here.ino() == there.ino() && here.dev() == there.dev()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// The bytes from `start` on, at most `limit`.
pub(crate) fn read_from(mut file: &File, start: u64, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(start))?;
    file.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Makes names in `folder` survive a power failure.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

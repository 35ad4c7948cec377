//! Recordings: what of an exchange a rule wants kept, in a folder of files that only their owner may read.
//!
//! An exchange has up to three files, named by its id: `ID.request` and `ID.answer` are bodies as they went, `ID.json` says
//! the rest and is put there last and whole, so that what lacks it is torn. Room is taken before an exchange is granted and
//! the oldest recordings make it, so the folder never holds more than it may. Bytes are written as they pass, as the
//! ledger's lines are: to the kernel. What is whole is brought to the disk by a thread of its own.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use enforcer_flow::ExchangeId;
use uuid::Uuid;

mod disk;
mod head;
mod read;
mod spoken;
mod write;

#[cfg(test)]
mod tests;

pub use head::{BodyHead, Message};
pub use read::{Recorded, read_recording};
pub use spoken::{Said, Spoken};
pub use write::{Recording, Track};

use self::disk::Disk;
use crate::Digest;

/// What a file takes of a disk at least, and by what it grows.
const BLOCK: u64 = 4096;
/// What is reserved for what is not a body.
const HEADS: u64 = 512 << 10;

/// The folder of recordings. One per daemon; made when the first rule wants something kept.
#[derive(Debug)]
pub struct Recordings {
    folder: PathBuf,
    max_bytes: u64,
    /// None until the folder was looked at.
    open: Mutex<Option<Open>>,
}

/// What is to be kept of one exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The request.
    pub request: bool,
    /// The answer.
    pub answer: bool,
    /// How many bytes of each body.
    pub limit: u64,
}

/// One of the two messages of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// What went out.
    Request,
    /// What the agent got.
    Answer,
}

/// What the ledger says of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordingFacts {
    /// The digest of `ID.json`.
    pub digest: Digest,
    /// The request's body, where the request was kept.
    pub request: Option<BodyFacts>,
    /// The answer's body, likewise.
    pub answer: Option<BodyFacts>,
}

/// What the ledger says of a body that was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyFacts {
    /// How many bytes were kept.
    pub bytes: u64,
    /// How many came after them.
    pub cut: u64,
    /// The digest of those that were kept.
    pub digest: Digest,
}

/// Why something is not recorded, or a recording not read.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// Something about a file or the folder.
    #[error("`{}`", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// Whatever could make room is still being written.
    #[error("recordings under way take all of the {max_bytes} bytes there may be")]
    Full {
        /// How much there may be.
        max_bytes: u64,
    },
    /// The folder is open to others.
    #[error("`{}` can be read or written by others than its owner (mode {mode:o})", path.display())]
    Mode {
        /// The folder.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It ended, or failed before.
    #[error("the recording is over")]
    Over,
    /// Its files are not what it says itself.
    #[error("`{}` is not what was recorded", path.display())]
    Torn {
        /// The file.
        path: PathBuf,
    },
}

/// What there is in the folder, and what may still come.
#[derive(Debug, Default)]
struct Room {
    /// Bytes of all recordings, with what those under way may take.
    taken: u64,
    /// What is not under way, oldest first: ids are in the order of time.
    whole: BTreeMap<String, u64>,
}

/// The folder, once it was looked at.
#[derive(Debug)]
struct Open {
    room: Room,
    disk: Disk,
}

// === impl Recordings ===

impl Recordings {
    /// Recordings in `folder`, of so many bytes in all. Nothing is made or looked at yet.
    #[must_use]
    pub fn new(folder: PathBuf, max_bytes: u64) -> Arc<Self> {
        Arc::new(Self {
            folder,
            max_bytes,
            open: Mutex::default(),
        })
    }

    /// Where the recordings are that a ledger names.
    #[must_use]
    pub fn beside(ledger: &Path) -> PathBuf {
        ledger.with_file_name("recordings")
    }

    /// Makes room for a recording and opens its files.
    ///
    /// # Errors
    /// When that cannot be done. The exchange must not go then.
    pub fn begin(
        self: &Arc<Self>,
        exchange: ExchangeId,
        wanted: Wanted,
    ) -> Result<Recording, RecordingError> {
        let parts = u64::from(wanted.request) + u64::from(wanted.answer);
        let reserved = wanted.limit.saturating_mul(parts).saturating_add(HEADS);
        self.with_room(|room| self.reserve(room, reserved))?;
        Recording::open(Arc::clone(self), exchange, (wanted, reserved))
            .inspect_err(|_| self.give_back(reserved, None))
    }

    /// Looks at the folder if there is one, so that no exchange waits for that.
    ///
    /// # Errors
    /// When it cannot be used.
    pub fn look_ahead(&self) -> Result<(), RecordingError> {
        match self.folder.exists() {
            true => self.with_room(|_| Ok(())),
            false => Ok(()),
        }
    }

    fn with_room<T>(
        &self,
        act: impl FnOnce(&mut Room) -> Result<T, RecordingError>,
    ) -> Result<T, RecordingError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let open = match &mut *open {
            Some(open) => open,
            none => {
                let room = look(&self.folder)?;
                let failed = |source| RecordingError::File {
                    path: self.folder.clone(),
                    source,
                };
                let disk = Disk::start(&self.folder).map_err(failed)?;
                none.insert(Open { room, disk })
            }
        };
        act(&mut open.room)
    }

    /// Has what is whole brought to the disk.
    fn bring_to_disk(&self, id: &str) {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = &*open {
            open.disk.take(id);
        }
    }

    /// Takes room, from the oldest where there is none.
    fn reserve(&self, room: &mut Room, bytes: u64) -> Result<(), RecordingError> {
        while room.taken.saturating_add(bytes) > self.max_bytes {
            let Some((id, size)) = room.whole.pop_first() else {
                let max_bytes = self.max_bytes;
                return Err(RecordingError::Full { max_bytes });
            };
            for kind in ["json", "request", "answer", "part"] {
                self.remove(&id, kind)?;
            }
            room.taken = room.taken.saturating_sub(size);
        }
        room.taken += bytes;
        Ok(())
    }

    /// Gives back what was reserved, and counts what became of it, if anything did.
    fn give_back(&self, reserved: u64, became: Option<(String, u64)>) {
        let counted = self.with_room(|room| {
            room.taken = room.taken.saturating_sub(reserved);
            if let Some((id, size)) = became {
                room.taken += size;
                room.whole.insert(id, size);
            }
            Ok(())
        });
        // Once something was reserved the folder has been looked at.
        drop(counted);
    }

    fn path(&self, id: &str, kind: &str) -> PathBuf {
        self.folder.join(format!("{id}.{kind}"))
    }

    /// A new file that only its owner may read.
    fn create(&self, id: &str, kind: &str) -> Result<File, RecordingError> {
        let path = self.path(id, kind);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        options
            .open(&path)
            .map_err(|source| RecordingError::File { path, source })
    }

    fn remove(&self, id: &str, kind: &str) -> Result<(), RecordingError> {
        let path = self.path(id, kind);
        match fs::remove_file(&path) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(source) => Err(RecordingError::File { path, source }),
        }
    }
}

/// Makes the folder, or counts what is in it.
fn look(folder: &Path) -> Result<Room, RecordingError> {
    let failed = |source| RecordingError::File {
        path: folder.to_owned(),
        source,
    };
    let mut builder = DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder.create(folder).map_err(failed)?;
    let mode = fs::symlink_metadata(folder).map_err(failed)?.mode();
    if mode & 0o077 != 0 {
        return Err(RecordingError::Mode {
            path: folder.to_owned(),
            mode: mode & 0o777,
        });
    }
    let mut room = Room::default();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let Some(id) = name.to_str().and_then(|name| name.split('.').next()) else {
            continue;
        };
        let metadata = entry.metadata().map_err(failed)?;
        // What we did not put there is left alone.
        if Uuid::try_parse(id).is_err() || !metadata.is_file() {
            continue;
        }
        let size = on_disk(metadata.len());
        room.taken += size;
        *room.whole.entry(id.to_owned()).or_default() += size;
    }
    Ok(room)
}

/// What a file of so many bytes takes of a disk.
fn on_disk(bytes: u64) -> u64 {
    bytes.div_ceil(BLOCK).max(1).saturating_mul(BLOCK)
}

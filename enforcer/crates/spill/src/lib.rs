//! Bodies that wait on disk until all of them is here, so that they do not wait in memory.
//!
//! Each has a file without a name and a key of its own, made for it and never written anywhere: whoever reads the disk reads
//! noise, and when the process ends, however that is, the file is gone. It is written once, in order, and read as often as
//! somebody likes. Nothing here counts how much there is; whoever spills bounds that. All of it blocks its thread.

#![forbid(unsafe_code)]

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt};
use std::path::{Path, PathBuf};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::rand;
use zeroize::Zeroizing;

#[cfg(test)]
mod tests;

/// So much is sealed at a time, and read back at a time.
pub const CHUNK: usize = 64 * 1024;

/// What sealing adds to a chunk.
const SEAL: usize = 16;

/// Where bodies wait.
#[derive(Clone, Debug)]
pub struct Spill {
    folder: PathBuf,
}

/// A body that is being written.
#[derive(Debug)]
pub struct Filling {
    file: File,
    seal: Seal,
    /// What does not fill a chunk yet.
    chunk: Zeroizing<Vec<u8>>,
    length: u64,
}

/// A body that is here whole.
#[derive(Debug)]
pub struct Spilled {
    file: File,
    seal: Seal,
    length: u64,
}

/// Why a body cannot wait on disk.
#[derive(Debug, thiserror::Error)]
pub enum SpillError {
    /// The folder, or a file in it, cannot be made.
    #[error("no file can be made in `{}`", .0.display())]
    Begin(PathBuf, #[source] io::Error),
    /// There is no key for it.
    #[error("no key can be made")]
    Key,
    /// What was written does not come back.
    #[error("what was written cannot be read")]
    Read(#[source] io::Error),
    /// What came back is not what was written.
    #[error("what was written was changed")]
    Changed,
    /// It cannot be written.
    #[error("the file cannot be written")]
    Write(#[source] io::Error),
}

/// The key of one file.
#[derive(Debug)]
struct Seal(LessSafeKey);

// === impl Spill ===

impl Spill {
    /// In this folder, which is made when it is needed and has no entries at any time.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
        }
    }

    /// Makes room for a body.
    ///
    /// # Errors
    /// When there is no key, or no file.
    pub fn begin(&self) -> Result<Filling, SpillError> {
        let failed = |error| SpillError::Begin(self.folder.clone(), error);
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.folder)
            .map_err(failed)?;
        Ok(Filling {
            // It never has a name, or loses it before anything is written.
            file: tempfile::tempfile_in(&self.folder).map_err(failed)?,
            seal: Seal::new()?,
            chunk: Zeroizing::new(Vec::with_capacity(CHUNK + SEAL)),
            length: 0,
        })
    }
}

// === impl Filling ===

impl Filling {
    /// Takes more of it.
    ///
    /// # Errors
    /// When it cannot be written; the body is lost then.
    pub fn push(&mut self, mut bytes: &[u8]) -> Result<(), SpillError> {
        while !bytes.is_empty() {
            let room = CHUNK - self.chunk.len();
            let (some, rest) = bytes.split_at(room.min(bytes.len()));
            self.chunk.extend_from_slice(some);
            self.length += some.len() as u64;
            bytes = rest;
            if self.chunk.len() == CHUNK {
                self.write(self.length / CHUNK as u64 - 1)?;
            }
        }
        Ok(())
    }

    /// All of it has come.
    ///
    /// # Errors
    /// As [`Filling::push`].
    pub fn finish(mut self) -> Result<Spilled, SpillError> {
        if !self.chunk.is_empty() {
            self.write(self.length / CHUNK as u64)?;
        }
        let Self {
            file,
            seal,
            chunk: _,
            length,
        } = self;
        Ok(Spilled { file, seal, length })
    }

    fn write(&mut self, number: u64) -> Result<(), SpillError> {
        self.seal.close(number, &mut self.chunk)?;
        self.file
            .write_all_at(&self.chunk, number * (CHUNK + SEAL) as u64)
            .map_err(SpillError::Write)?;
        self.chunk.clear();
        Ok(())
    }
}

// === impl Spilled ===

impl Spilled {
    /// How long it is.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// One chunk of it, of which each but the last is whole; nothing behind its end.
    ///
    /// # Errors
    /// When it cannot be read, or was changed.
    pub fn chunk(&self, number: u64) -> Result<Vec<u8>, SpillError> {
        let begins = number.saturating_mul(CHUNK as u64);
        let length = self.length.saturating_sub(begins).min(CHUNK as u64);
        if length == 0 {
            return Ok(Vec::new());
        }
        let sealed = usize::try_from(length).unwrap_or(CHUNK) + SEAL;
        let mut bytes = vec![0; sealed];
        self.file
            .read_exact_at(&mut bytes, number * (CHUNK + SEAL) as u64)
            .map_err(SpillError::Read)?;
        self.seal.open(number, &mut bytes)?;
        Ok(bytes)
    }

    /// All of it.
    ///
    /// # Errors
    /// As [`Spilled::chunk`].
    pub fn read(&self) -> Result<Vec<u8>, SpillError> {
        let mut all = Vec::with_capacity(usize::try_from(self.length).unwrap_or_default());
        for number in 0..self.length.div_ceil(CHUNK as u64) {
            all.extend_from_slice(&self.chunk(number)?);
        }
        Ok(all)
    }
}

// === impl Seal ===

impl Seal {
    fn new() -> Result<Self, SpillError> {
        let mut key = Zeroizing::new([0; 32]);
        rand::fill(&mut *key).map_err(|_| SpillError::Key)?;
        let key = UnboundKey::new(&AES_256_GCM, &*key).map_err(|_| SpillError::Key)?;
        Ok(Self(LessSafeKey::new(key)))
    }

    fn close(&self, number: u64, chunk: &mut Vec<u8>) -> Result<(), SpillError> {
        self.0
            .seal_in_place_append_tag(nonce(number), Aad::empty(), chunk)
            .map_err(|_| SpillError::Key)
    }

    fn open(&self, number: u64, chunk: &mut Vec<u8>) -> Result<(), SpillError> {
        let length = self
            .0
            .open_in_place(nonce(number), Aad::empty(), chunk)
            .map_err(|_| SpillError::Changed)?
            .len();
        chunk.truncate(length);
        Ok(())
    }
}

/// A key seals one file only, and of that each chunk once: its number is never used again.
fn nonce(number: u64) -> Nonce {
    let mut nonce = [0; NONCE_LEN];
    for (to, from) in nonce.iter_mut().zip(number.to_le_bytes()) {
        *to = from;
    }
    Nonce::assume_unique_for_key(nonce)
}

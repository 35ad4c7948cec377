//! Keyed fingerprints: enough to see that two requests carried the same credential, not enough to learn or to test one.
//!
//! The key never leaves this module; without it a fingerprint cannot be compared against a guess. It lives as long as the
//! state folder, so fingerprints of one host are comparable over restarts, and those of two hosts are not.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::{hmac, rand};
use enforcer_flow::Secret;

const KEY_BYTES: usize = 32;
const KEY_FILE: &str = "fingerprint.key";
const TAG_BYTES: usize = 8;

/// A key that is made once on a host and stays there.
pub type HostKey = Secret<[u8; KEY_BYTES]>;

/// Makes [`Fingerprint`]s with one host's key.
pub struct Fingerprinter {
    key: hmac::Key,
}

/// What the ledger says of a credential, shown as `kind:hmac-sha256:16 hex digits`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint {
    kind: &'static str,
    tag: [u8; TAG_BYTES],
}

/// Why there is no fingerprint key.
#[derive(Debug, thiserror::Error)]
pub enum FingerprintError {
    /// The file is not a key.
    #[error("`{}` is not a key: {KEY_BYTES} bytes expected, {found} found", path.display())]
    Length {
        /// The file.
        path: PathBuf,
        /// Its length.
        found: u64,
    },
    /// Others than its owner may read or write the key.
    #[error("`{}` can be read or written by others than its owner (mode {mode:o})", path.display())]
    Mode {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The system gave no random bytes.
    #[error("the system's random source failed")]
    Random,
    /// The file could not be read or made.
    #[error("cannot use the key `{}`", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
}

// === impl Fingerprinter ===

impl Fingerprinter {
    /// Reads the key in `folder`, or makes one there on first use. Several processes may do this at once: one key wins.
    ///
    /// # Errors
    /// When the key cannot be read or made, has the wrong length, or is open to others than its owner.
    pub fn open(folder: &Path) -> Result<Self, FingerprintError> {
        Ok(Self::from_key(&open_key(folder, KEY_FILE)?))
    }

    /// Uses a given key.
    #[must_use]
    pub fn from_key(key: &Secret<[u8; KEY_BYTES]>) -> Self {
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, key.expose()),
        }
    }

    /// The fingerprint of a value that stood where credentials of this kind stand (`authorization`, `cookie`, …). The same value of
    /// two kinds has two fingerprints.
    #[must_use]
    pub fn fingerprint(&self, kind: &'static str, value: &[u8]) -> Fingerprint {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(kind.as_bytes());
        context.update(&[0]);
        context.update(value);
        let full = context.sign();
        let mut tag = [0; TAG_BYTES];
        for (to, from) in tag.iter_mut().zip(full.as_ref()) {
            *to = *from;
        }
        Fingerprint { kind, tag }
    }
}

impl fmt::Debug for Fingerprinter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprinter")
    }
}

// === impl Fingerprint ===

impl Fingerprint {
    /// Whether a text is one, written out.
    #[must_use]
    pub fn is_written(text: &str) -> bool {
        let mut parts = text.rsplitn(3, ':');
        let tag = parts.next().unwrap_or_default();
        let is_tag = tag.len() == 16 && tag.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_tag && parts.next() == Some("hmac-sha256") && parts.next().is_some()
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, tag } = self;
        write!(f, "{kind}:hmac-sha256:{:016x}", u64::from_be_bytes(*tag))
    }
}

/// Reads a key of this host in `folder`, or makes one there on first use. Several processes may do this at once: one key
/// wins.
///
/// # Errors
/// As [`Fingerprinter::open`].
pub fn open_key(folder: &Path, name: &str) -> Result<HostKey, FingerprintError> {
    let path = folder.join(name);
    let made = match File::open(&path) {
        Ok(file) => return read(file, path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => make(&path)?,
        Err(source) => return Err(FingerprintError::Unusable { path, source }),
    };
    match made {
        Some(key) => Ok(key),
        None => match File::open(&path) {
            Ok(file) => read(file, path),
            Err(source) => Err(FingerprintError::Unusable { path, source }),
        },
    }
}

fn read(file: File, path: PathBuf) -> Result<HostKey, FingerprintError> {
    match read_key(file) {
        Ok(Found::Key(key)) => Ok(key),
        Ok(Found::Length(found)) => Err(FingerprintError::Length { path, found }),
        Ok(Found::Mode(mode)) => Err(FingerprintError::Mode { path, mode }),
        Err(source) => Err(FingerprintError::Unusable { path, source }),
    }
}

enum Found {
    Key(HostKey),
    Length(u64),
    Mode(u32),
}

fn read_key(mut file: File) -> io::Result<Found> {
    let metadata = file.metadata()?;
    let mode = metadata.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Ok(Found::Mode(mode));
    }
    if metadata.len() != KEY_BYTES as u64 {
        return Ok(Found::Length(metadata.len()));
    }
    let mut key = [0; KEY_BYTES];
    file.read_exact(&mut key)?;
    Ok(Found::Key(Secret::new(key)))
}

/// Makes a key under a name of its own and links it into place whole, so that no reader finds half a key. None when
/// another process was faster.
fn make(path: &Path) -> Result<Option<HostKey>, FingerprintError> {
    let mut key = [0; KEY_BYTES];
    rand::fill(&mut key).map_err(|_| FingerprintError::Random)?;
    let key = Secret::new(key);
    let draft = path.with_extension(uuid::Uuid::now_v7().to_string());
    let placed = place(&draft, path, key.expose());
    // The draft is a second name of the key, or a failed attempt: either way it has served.
    let _ = fs::remove_file(&draft);
    match placed {
        Ok(()) => Ok(Some(key)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(None),
        Err(source) => Err(FingerprintError::Unusable {
            path: path.to_owned(),
            source,
        }),
    }
}

fn place(draft: &Path, path: &Path, key: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(draft)?;
    file.write_all(key)?;
    file.sync_all()?;
    fs::hard_link(draft, path)
}

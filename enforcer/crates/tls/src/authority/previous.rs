//! The CAs before the one in use: public certificates, each in a file whose name says until when it is believed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::TlsError;
use crate::authority::AuthorityConfig;
use crate::certificate::CaCertificate;
use crate::file::{self, Kind, failed};

/// More than anybody rotates in the time of an overlap; the newest are kept.
const MAX: usize = 16;

/// A CA that agents still believe, although another signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Previous {
    certificate: CaCertificate,
    until: SystemTime,
}

// === impl Previous ===

impl Previous {
    /// Its certificate.
    #[must_use]
    pub fn certificate(&self) -> &CaCertificate {
        &self.certificate
    }

    /// Until when it is believed.
    #[must_use]
    pub fn until(&self) -> SystemTime {
        self.until
    }

    /// Those that the state folder `dir` names and whose time lasts; needs no access to any key.
    ///
    /// # Errors
    /// When the folder cannot be read or holds what does not belong there.
    pub fn read(dir: &Path) -> Result<Vec<Self>, TlsError> {
        read(dir, SystemTime::now())
    }
}

/// Writes down that agents go on believing `certificate`.
pub(super) fn keep(
    dir: &Path,
    certificate: &CaCertificate,
    until: SystemTime,
) -> Result<(), TlsError> {
    let folder = folder(dir);
    file::private_folder(&folder)?;
    let since = until.duration_since(SystemTime::UNIX_EPOCH);
    let print = certificate.fingerprint().to_string().replace(':', "");
    let head = print.get(..16).unwrap_or(&print);
    let name = format!("{:012}-{head}.crt", since.unwrap_or_default().as_secs());
    file::write(
        &folder.join(name),
        certificate.pem().as_bytes(),
        Kind::Public,
    )
}

/// Those whose time lasts at `now`, the longest first. What is over is removed.
pub(super) fn read(dir: &Path, now: SystemTime) -> Result<Vec<Previous>, TlsError> {
    let folder = folder(dir);
    let entries = match fs::read_dir(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed("read", &folder))?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed("read", &folder))?.path();
        let Some(until) = until(&path) else { continue };
        if until <= now {
            // Whoever may only look leaves it to who may remove it.
            let _ = fs::remove_file(&path);
            continue;
        }
        let certificate = CaCertificate::read_file(&path)?;
        found.push(Previous { certificate, until });
    }
    found.sort_by_key(|one| std::cmp::Reverse(one.until));
    found.truncate(MAX);
    Ok(found)
}

/// Notes which CA of the operator's is in use, and keeps the one noted before if it is another.
pub(super) fn succeed(
    config: &AuthorityConfig,
    certificate: &CaCertificate,
    now: SystemTime,
) -> Result<(), TlsError> {
    let used = in_use(&config.dir)?;
    if let Some(used) = used {
        if used.der() == certificate.der() {
            return Ok(());
        }
        keep(&config.dir, &used, now + config.overlap)?;
    }
    let path = in_use_path(&config.dir);
    file::write(&path, certificate.pem().as_bytes(), Kind::Public)
}

/// The CA of the operator's that was taken last.
pub(super) fn in_use(dir: &Path) -> Result<Option<CaCertificate>, TlsError> {
    match CaCertificate::read_file(&in_use_path(dir)) {
        Ok(certificate) => Ok(Some(certificate)),
        Err(TlsError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn in_use_path(dir: &Path) -> PathBuf {
    dir.join("in-use.crt")
}

fn folder(dir: &Path) -> PathBuf {
    dir.join("previous")
}

/// The time at the head of a file's name.
fn until(path: &Path) -> Option<SystemTime> {
    let name = path.file_name()?.to_str()?.strip_suffix(".crt")?;
    let (seconds, _) = name.split_once('-')?;
    let since = Duration::from_secs(seconds.parse().ok()?);
    SystemTime::UNIX_EPOCH.checked_add(since)
}

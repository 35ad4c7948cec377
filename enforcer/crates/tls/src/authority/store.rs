//! The two files of the CA: `ca.key` (0600) and `ca.crt` (0644), and the lock beside them.
//!
//! The key is written first. A crash in between leaves a key without a certificate, from which the next start makes the
//! certificate; a certificate without a key is never ours to mend.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use aws_lc_rs::digest;
use enforcer_flow::Secret;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PublicKeyData};

use super::OwnFiles;
use crate::certificate::CaCertificate;
use crate::file::{self, Kind, failed};
use crate::{Constraints, TlsError};

/// A P-256 key in PKCS#8 is about 240 bytes as PEM; an RSA key brought along has a few thousand.
const MAX_KEY: u64 = 16 * 1024;

/// A key and the certificate made for it.
pub(super) struct Pair {
    pub(super) key: KeyPair,
    pub(super) certificate: CaCertificate,
}

/// What the folder holds.
pub(super) enum Stored {
    KeyOnly(KeyPair),
    Nothing,
    Pair(Box<Pair>),
}

pub(super) fn lock(dir: &Path) -> Result<File, TlsError> {
    file::lock(&dir.join("ca.lock"))
}

pub(super) fn load(dir: &Path) -> Result<Stored, TlsError> {
    finish_switch(dir)?;
    let certificate = match CaCertificate::read(dir) {
        Ok(certificate) => Some(certificate),
        Err(TlsError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    match (read_key(&key_path(dir))?, certificate) {
        (None, None) => Ok(Stored::Nothing),
        (Some(key), None) => Ok(Stored::KeyOnly(key)),
        (None, Some(certificate)) => Err(TlsError::MissingKey {
            certificate: certificate.path().to_owned(),
            key: key_path(dir),
        }),
        (Some(key), Some(certificate)) => {
            pair(key, certificate, &key_path(dir)).map(|pair| Stored::Pair(Box::new(pair)))
        }
    }
}

/// The CA of an operator, of whose files nothing is made and nothing mended.
pub(super) fn load_own(own: &OwnFiles) -> Result<Pair, TlsError> {
    let certificate = CaCertificate::read_file(&own.certificate)?;
    let Some(key) = read_key(&own.key)? else {
        let missing = io::ErrorKind::NotFound.into();
        return Err(failed("read", &own.key)(missing));
    };
    pair(key, certificate, &own.key)
}

fn pair(key: KeyPair, certificate: CaCertificate, path: &Path) -> Result<Pair, TlsError> {
    if key.subject_public_key_info() == certificate.public_key() {
        return Ok(Pair { key, certificate });
    }
    Err(TlsError::Mismatch {
        certificate: certificate.path().to_owned(),
        key: path.to_owned(),
    })
}

/// Makes a new key and its certificate.
pub(super) fn create(
    dir: &Path,
    constraints: &Constraints,
    now: SystemTime,
) -> Result<Pair, TlsError> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(library)?;
    let pem = Secret::new(key.serialize_pem());
    file::write(&key_path(dir), pem.expose().as_bytes(), Kind::Secret)?;
    tracing::info!(ca.folder = %dir.display(), "made a new local CA");
    certify(dir, key, constraints, now)
}

/// Makes the certificate for a key that has none.
pub(super) fn certify(
    dir: &Path,
    key: KeyPair,
    constraints: &Constraints,
    now: SystemTime,
) -> Result<Pair, TlsError> {
    let certificate = self_signed(&key, CaCertificate::path_in(dir), constraints, now)?;
    file::write(
        certificate.path(),
        certificate.pem().as_bytes(),
        Kind::Public,
    )?;
    Ok(Pair { key, certificate })
}

/// Puts a new key and certificate in the place of those that are there. The new certificate is on disk before the old key
/// goes, so that a switch that was broken off is finished by the next start or has not begun.
pub(super) fn switch(
    dir: &Path,
    constraints: &Constraints,
    now: SystemTime,
) -> Result<(), TlsError> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(library)?;
    let next = next_path(dir);
    let certificate = self_signed(&key, next.clone(), constraints, now)?;
    file::write(&next, certificate.pem().as_bytes(), Kind::Public)?;
    let pem = Secret::new(key.serialize_pem());
    file::write(&key_path(dir), pem.expose().as_bytes(), Kind::Secret)?;
    finish_switch(dir)
}

/// Takes over the next certificate if the key is its own already; else it is of no use.
fn finish_switch(dir: &Path) -> Result<(), TlsError> {
    let next = next_path(dir);
    let certificate = match CaCertificate::read_file(&next) {
        Ok(certificate) => certificate,
        Err(TlsError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    let is_its_own = read_key(&key_path(dir))?
        .is_some_and(|key| key.subject_public_key_info() == certificate.public_key());
    if is_its_own {
        let pem = certificate.pem().as_bytes();
        file::write(&CaCertificate::path_in(dir), pem, Kind::Public)?;
    }
    std::fs::remove_file(&next).map_err(failed("remove", &next))
}

fn self_signed(
    key: &KeyPair,
    path: PathBuf,
    constraints: &Constraints,
    now: SystemTime,
) -> Result<CaCertificate, TlsError> {
    let made = super::ca_params(&short_id(key), constraints, now)
        .and_then(|params| params.self_signed(key))
        .map_err(library)?;
    CaCertificate::parse(path, made.pem().as_bytes())
}

fn next_path(dir: &Path) -> PathBuf {
    dir.join("ca.next.crt")
}

fn key_path(dir: &Path) -> PathBuf {
    dir.join("ca.key")
}

fn read_key(path: &Path) -> Result<Option<KeyPair>, TlsError> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(failed("read", path))?,
    };
    check_access(&file, path)?;
    let mut text = String::with_capacity(4096);
    let read = file.take(MAX_KEY).read_to_string(&mut text);
    let text = Secret::new(text);
    read.map_err(failed("read", path))?;
    match KeyPair::from_pem(text.expose()) {
        Ok(key) => Ok(Some(key)),
        Err(_) => Err(TlsError::Unreadable {
            path: path.to_owned(),
            expected: "a private key in PKCS#8 PEM form",
        }),
    }
}

/// Asks the open file, not the path, so that nothing can be swapped in between.
fn check_access(file: &File, path: &Path) -> Result<(), TlsError> {
    let path = path.to_owned();
    let facts = file.metadata().map_err(failed("examine", &path))?;
    let (mode, owner) = (facts.mode() & 0o7777, facts.uid());
    if mode & 0o077 != 0 {
        return Err(TlsError::Exposed { path, mode });
    }
    if owner != 0 && owner != rustix::process::geteuid().as_raw() {
        return Err(TlsError::ForeignOwner { path, owner });
    }
    Ok(())
}

/// Eight hexadecimal digits that name a key.
fn short_id(key: &KeyPair) -> String {
    let digest = digest::digest(&digest::SHA256, &key.subject_public_key_info());
    let head = digest.as_ref().iter().take(4);
    head.map(|byte| format!("{byte:02x}")).collect()
}

fn library(source: rcgen::Error) -> TlsError {
    TlsError::MakeCa(source)
}

//! The CA and its files: made once, and refused whenever they cannot be relied on.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, SystemTime};

use rcgen::KeyPair;
use tempfile::TempDir;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::stage::DAY;
use crate::{Authority, CaCertificate, TlsError};

const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// A folder, and the CA files in it.
struct Folder {
    dir: TempDir,
}

impl Folder {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        Self { dir }
    }

    fn made() -> Self {
        let folder = Self::new();
        folder.load().unwrap();
        folder
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("state/ca")
    }

    fn key(&self) -> PathBuf {
        self.path().join("ca.key")
    }

    fn certificate(&self) -> PathBuf {
        self.path().join("ca.crt")
    }

    fn load(&self) -> Result<Authority, TlsError> {
        Authority::load_or_create(&self.path())
    }

    fn refusal(&self) -> TlsError {
        self.load().expect_err("the CA is refused")
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn the_key_is_for_its_owner_and_the_certificate_for_all() {
    let folder = Folder::made();
    assert_eq!(mode(&folder.key()), 0o600);
    assert_eq!(mode(&folder.certificate()), 0o644);
    assert_eq!(mode(&folder.path()), 0o700);
    let names: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names.len(), 3, "key, certificate and lock: {names:?}");
    let key = fs::read_to_string(folder.key()).unwrap();
    assert!(key.starts_with("-----BEGIN PRIVATE KEY-----"));
    let certificate = fs::read_to_string(folder.certificate()).unwrap();
    assert!(!certificate.contains("PRIVATE"));
}

#[test]
fn the_ca_is_made_once() {
    let folder = Folder::new();
    let made = folder.load().unwrap();
    let loaded = folder.load().unwrap();
    assert_eq!(made.certificate(), loaded.certificate());
    assert_eq!(made.fingerprint(), loaded.fingerprint());
}

#[test]
fn starters_at_the_same_time_agree_on_one_ca() {
    let (folder, start) = (Folder::new(), Barrier::new(16));
    let prints: Vec<_> = thread::scope(|scope| {
        let start_one = || {
            start.wait();
            folder.load().unwrap().fingerprint()
        };
        let running: Vec<_> = (0..16).map(|_| scope.spawn(start_one)).collect();
        running.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert!(prints.iter().all(|print| *print == prints[0]));
    assert_eq!(
        CaCertificate::read(&folder.path()).unwrap().fingerprint(),
        prints[0]
    );
}

#[test]
fn the_certificate_says_what_it_may() {
    let folder = Folder::new();
    let now = SystemTime::now();
    let authority = folder.load().unwrap();
    let (_, parsed) = X509Certificate::from_der(authority.certificate_der()).unwrap();
    let constraints = parsed.basic_constraints().unwrap().unwrap();
    assert!(constraints.critical && constraints.value.ca);
    assert_eq!(constraints.value.path_len_constraint, Some(0));
    let usage = parsed.key_usage().unwrap().unwrap();
    assert!(usage.critical && usage.value.key_cert_sign() && usage.value.crl_sign());
    assert_eq!(parsed.subject(), parsed.issuer());
    let subject = authority.certificate().subject();
    let id = subject.strip_prefix("CN=Enforcer local CA ").unwrap();
    assert!(
        id.len() == 8 && id.chars().all(|c| c.is_ascii_hexdigit()),
        "{subject}"
    );
    let (from, until) = (
        authority.certificate().not_before(),
        authority.certificate().not_after(),
    );
    assert!(from <= now - DAY && from > now - DAY - Duration::from_secs(60));
    assert!(until > now + 9 * YEAR && until < now + 11 * YEAR);
}

#[test]
fn two_cas_have_two_names() {
    let (one, other) = (Folder::new().load().unwrap(), Folder::new().load().unwrap());
    assert_ne!(one.certificate().subject(), other.certificate().subject());
    assert_ne!(one.fingerprint(), other.fingerprint());
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    let folder = Folder::made();
    for exposed in [0o640, 0o604, 0o620, 0o644, 0o777] {
        set_mode(&folder.key(), exposed);
        let error = folder.refusal();
        assert!(
            matches!(&error, TlsError::Exposed { path, mode } if *path == folder.key() && *mode == exposed),
            "{error}"
        );
    }
    set_mode(&folder.key(), 0o400);
    assert!(folder.load().is_ok());
}

#[test]
fn a_folder_that_others_can_write_is_refused() {
    let folder = Folder::made();
    set_mode(&folder.path(), 0o770);
    let error = folder.refusal();
    assert!(
        matches!(&error, TlsError::Folder { path, .. } if *path == folder.path()),
        "{error}"
    );
}

#[test]
fn a_key_without_a_certificate_gets_one() {
    let folder = Folder::new();
    let before = folder.load().unwrap();
    fs::remove_file(folder.certificate()).unwrap();
    let after = folder.load().unwrap();
    assert_eq!(
        before.certificate().subject(),
        after.certificate().subject()
    );
    assert_eq!(
        before.certificate().public_key(),
        after.certificate().public_key()
    );
}

#[test]
fn a_certificate_without_a_key_is_refused() {
    let folder = Folder::made();
    fs::remove_file(folder.key()).unwrap();
    let error = folder.refusal();
    assert!(
        matches!(&error, TlsError::MissingKey { key, .. } if *key == folder.key()),
        "{error}"
    );
    assert!(!folder.key().exists(), "nothing is made in its place");
}

#[test]
fn a_certificate_of_another_key_is_refused() {
    let folder = Folder::made();
    fs::write(folder.key(), KeyPair::generate().unwrap().serialize_pem()).unwrap();
    let error = folder.refusal();
    assert!(matches!(error, TlsError::Mismatch { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("ca.key") && text.contains("ca.crt") && text.contains("remove both"));
}

#[test]
fn files_that_are_something_else_are_refused_and_named() {
    for (name, text) in [
        ("ca.key", "not a key"),
        ("ca.crt", "not a certificate"),
        ("ca.key", ""),
        ("ca.crt", ""),
    ] {
        let folder = Folder::made();
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        let error = folder.refusal();
        assert!(
            matches!(&error, TlsError::Unreadable { path: named, .. } if *named == path),
            "{error}"
        );
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            text,
            "nothing is written over it"
        );
    }
}

#[test]
fn a_leaf_is_no_ca() {
    let folder = Folder::made();
    let key = KeyPair::from_pem(&fs::read_to_string(folder.key()).unwrap()).unwrap();
    let leaf = rcgen::CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
    fs::write(folder.certificate(), leaf.self_signed(&key).unwrap().pem()).unwrap();
    assert!(matches!(folder.refusal(), TlsError::Unreadable { .. }));
}

#[test]
fn a_ca_outside_its_time_is_refused_with_what_to_do() {
    let folder = Folder::made();
    let now = SystemTime::now();
    let late = Authority::load_or_create_at(&folder.path(), now + 11 * YEAR).unwrap_err();
    assert!(matches!(late, TlsError::Expired { .. }), "{late}");
    assert!(late.to_string().contains("remove it and its key"));
    let early = Authority::load_or_create_at(&folder.path(), now - YEAR).unwrap_err();
    assert!(matches!(early, TlsError::NotYetValid { .. }), "{early}");
    assert!(early.to_string().contains("clock"));
    assert!(
        CaCertificate::read(&folder.path()).is_ok(),
        "it can still be shown"
    );
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let error = Authority::load_or_create(&file.join("ca")).unwrap_err();
    assert!(error.to_string().contains("file/ca"), "{error}");
}

#[test]
fn debugging_shows_no_key() {
    let folder = Folder::made();
    let shown = format!("{:?}", folder.load().unwrap());
    let key = fs::read_to_string(folder.key()).unwrap();
    assert!(shown.contains("Enforcer local CA"));
    assert!(!shown.to_lowercase().contains("key"), "{shown}");
    assert!(key.lines().all(|line| !shown.contains(line)));
}

#[test]
fn the_fingerprint_is_written_as_openssl_writes_it() {
    let print = Folder::new().load().unwrap().fingerprint();
    let text = print.to_string();
    let bytes: Vec<_> = text
        .split(':')
        .map(|byte| u8::from_str_radix(byte, 16).unwrap())
        .collect();
    assert_eq!(bytes, print.as_bytes());
    assert_eq!(text, text.to_uppercase());
    assert_eq!(text.len(), 95);
}

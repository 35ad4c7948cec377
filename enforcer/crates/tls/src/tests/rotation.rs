//! One CA after another: both are believed for a while, the next one signs, and a switch that breaks off is finished.

use std::fs;
use std::time::{Duration, SystemTime};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::version::TLS13;
use tempfile::TempDir;

use super::stage::{Agent, DAY, Ours, host};
use crate::trust::Anchors;
use crate::{Authority, AuthorityConfig, CaCertificate, Leaves, OwnFiles, Previous, TlsError};

fn config(dir: &TempDir) -> AuthorityConfig {
    AuthorityConfig::kept_in(&dir.path().join("ca"))
}

#[test]
fn old_and_new_are_believed_until_the_overlap_is_over() {
    let dir = TempDir::new().unwrap();
    let config = AuthorityConfig {
        overlap: 2 * DAY,
        ..config(&dir)
    };
    let before = Authority::open(&config).unwrap();
    let now = SystemTime::now();
    let after = Authority::rotate_at(&config, now).unwrap();
    assert_ne!(before.fingerprint(), after.fingerprint());
    let both = after.anchors(now + DAY);
    assert!(both.certificates().contains(before.certificate_der()));
    assert_eq!(both.certificates()[0], *after.certificate_der());
    let alone = after.anchors(now + 3 * DAY);
    assert_eq!(alone, Anchors::from(after.certificate()));
    // A start that comes later knows the same, and tidies up what is over.
    let later = Authority::open_at(&config, now + DAY).unwrap();
    assert_eq!(later.anchors(now + DAY), both);
    assert_eq!(later.previous().len(), 1);
    let over = Authority::open_at(&config, now + 3 * DAY).unwrap();
    assert_eq!(over.previous(), []);
    assert_eq!(Previous::read(&config.dir).unwrap(), []);
}

#[tokio::test]
async fn leaves_come_from_the_new_ca_at_once() {
    let ours = Ours::new();
    let old = ours.agent(&TLS13);
    ours.meet(&old, "a.example", "a.example")
        .await
        .exchange()
        .await;
    let next = Authority::rotate(&AuthorityConfig::kept_in(&ours.dir.path().join("ca"))).unwrap();
    let new = Agent::trusting(next.certificate_der(), &TLS13);
    ours.leaves.sign_by(next.into());
    // The leaf for this name was in the cache.
    ours.meet(&new, "a.example", "a.example")
        .await
        .exchange()
        .await;
    ours.meet(&old, "a.example", "a.example").await.refused();
}

#[test]
fn a_switch_that_broke_off_is_finished_or_has_not_begun() {
    let dir = TempDir::new().unwrap();
    let config = config(&dir);
    let (first, second) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let made = |dir: &TempDir| {
        let config = AuthorityConfig::kept_in(dir.path());
        Authority::open(&config).unwrap()
    };
    let (one, other) = (made(&first), made(&second));
    let put = |from: &TempDir, name: &str, to: &str| {
        fs::copy(from.path().join(name), config.dir.join(to)).unwrap();
    };
    // The next certificate was there, the key not yet.
    Authority::open(&config).unwrap();
    put(&first, "ca.key", "ca.key");
    put(&first, "ca.crt", "ca.crt");
    put(&second, "ca.crt", "ca.next.crt");
    let opened = Authority::open(&config).unwrap();
    assert_eq!(opened.fingerprint(), one.fingerprint());
    assert!(!config.dir.join("ca.next.crt").exists());
    // The key was there too.
    put(&second, "ca.key", "ca.key");
    put(&second, "ca.crt", "ca.next.crt");
    let opened = Authority::open(&config).unwrap();
    assert_eq!(opened.fingerprint(), other.fingerprint());
    assert!(!config.dir.join("ca.next.crt").exists());
}

/// A root and an intermediate below it, as a company might hand one out.
struct Company {
    dir: TempDir,
    root: CertificateParams,
    root_key: KeyPair,
}

impl Company {
    fn new() -> Self {
        let mut root = CertificateParams::default();
        root.distinguished_name
            .push(DnType::CommonName, "Company Root");
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        root.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        Self {
            dir: TempDir::new().unwrap(),
            root,
            root_key: KeyPair::generate().unwrap(),
        }
    }

    /// Puts an intermediate in place that says `change` of itself.
    fn issue(&self, change: impl FnOnce(&mut CertificateParams)) -> AuthorityConfig {
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(DnType::CommonName, "Company Egress");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let issuer = Issuer::from_params(&self.root, &self.root_key);
        let made = params.signed_by(&key, &issuer).unwrap();
        let root = self.root.self_signed(&self.root_key).unwrap();
        let own = OwnFiles {
            certificate: self.dir.path().join("own.crt"),
            key: self.dir.path().join("own.key"),
        };
        fs::write(&own.certificate, made.pem() + &root.pem()).unwrap();
        fs::write(&own.key, key.serialize_pem()).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        fs::set_permissions(&own.key, mode).unwrap();
        AuthorityConfig {
            own: Some(own),
            ..config(&self.dir)
        }
    }

    fn root_der(&self) -> rustls_pki_types::CertificateDer<'static> {
        self.root.self_signed(&self.root_key).unwrap().into()
    }
}

#[tokio::test]
async fn an_operators_intermediate_signs_and_its_chain_is_sent() {
    let company = Company::new();
    let config = company.issue(|_| {});
    let authority = Authority::open(&config).unwrap();
    assert!(!authority.certificate().is_self_signed());
    let anchors = authority.anchors(SystemTime::now());
    assert_eq!(
        anchors.certificates().len(),
        2,
        "the intermediate and its root"
    );
    let leaves = Leaves::new(authority.into()).unwrap();
    // Who knows nothing but the company's root has the intermediate from the handshake.
    let agent = Agent::trusting(&company.root_der(), &TLS13);
    let served = leaves.server_config(&host("a.example")).unwrap();
    agent.meet(served, "a.example").await.exchange().await;
    assert!(
        !config.dir.join("ca.key").exists(),
        "no CA is made beside it"
    );
}

#[test]
fn an_operators_next_ca_is_taken_over_when_it_is_there() {
    let company = Company::new();
    let config = company.issue(|_| {});
    let first = Authority::open(&config).unwrap();
    let error = Authority::rotate(&config).unwrap_err();
    assert!(matches!(error, TlsError::NotReplaced { .. }), "{error}");
    company.issue(|_| {});
    let second = Authority::rotate(&config).unwrap();
    assert_ne!(first.fingerprint(), second.fingerprint());
    let [before] = second.previous() else {
        panic!("{:?}", second.previous());
    };
    assert_eq!(before.certificate().der(), first.certificate_der());
}

#[test]
fn an_operators_ca_that_cannot_serve_is_refused() {
    let company = Company::new();
    let refused = |change: fn(&mut CertificateParams)| {
        let config = company.issue(change);
        Authority::open(&config).expect_err("refused").to_string()
    };
    let usage = refused(|params| params.key_usages = vec![KeyUsagePurpose::CrlSign]);
    assert!(usage.contains("key usage"), "{usage}");
    let purpose = refused(|params| {
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::EmailProtection];
    });
    assert!(purpose.contains("TLS servers"), "{purpose}");
    let leaf = refused(|params| params.is_ca = IsCa::ExplicitNoCa);
    assert!(leaf.contains("own.crt"), "{leaf}");
    let config = company.issue(|_| {});
    let own = config.own.clone().unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    fs::set_permissions(&own.key, mode).unwrap();
    let error = Authority::open(&config).unwrap_err();
    assert!(matches!(error, TlsError::Exposed { .. }), "{error}");
    fs::remove_file(&own.key).unwrap();
    let error = Authority::open(&config).unwrap_err();
    assert!(error.to_string().contains("own.key"), "{error}");
}

#[test]
fn an_end_that_is_near_is_told() {
    let dir = TempDir::new().unwrap();
    let authority = Authority::open(&config(&dir)).unwrap();
    let end = authority.certificate().not_after();
    assert_eq!(authority.problem(SystemTime::now()), None);
    assert_eq!(authority.problem(end - 31 * DAY), None);
    let told = authority
        .problem(end - 10 * DAY - Duration::from_secs(60))
        .unwrap();
    assert!(
        told.contains("in 10 days") && told.contains("ca rotate"),
        "{told}"
    );
    assert!(authority.problem(end + DAY).unwrap().contains("in 0 days"));
}

#[test]
fn a_file_with_more_than_the_ca_is_read_in_its_order() {
    let company = Company::new();
    let config = company.issue(|_| {});
    let read = CaCertificate::read_file(&config.certificate()).unwrap();
    assert_eq!(read.issuers().len(), 1);
    assert_ne!(read.issuers()[0], *read.der());
    assert_eq!(read.pem().matches("BEGIN").count(), 1);
}

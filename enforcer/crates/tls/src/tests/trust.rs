//! The files that agents are given, read back the way programs read them.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use super::stage::Ours;
use crate::roots;
use crate::trust::{self, Placed};

fn place(ours: &Ours) -> Placed {
    let dir = ours.dir.path().join("trust");
    trust::place(&dir, &ours.authority.certificate().into()).unwrap()
}

fn certificates(path: &Path) -> Vec<CertificateDer<'static>> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path).unwrap().collect();
    found.unwrap()
}

#[test]
fn the_bundle_holds_the_public_roots_and_ours() {
    let ours = Ours::new();
    let placed = place(&ours);
    let bundle = certificates(&placed.bundle);
    let public = roots::public();
    assert!(public.len() > 50, "this test needs some public roots");
    assert_eq!(bundle.len(), public.len() + 1);
    assert!(public.iter().all(|root| bundle.contains(root)));
    assert!(bundle.contains(ours.authority.certificate_der()));
    assert_eq!(
        certificates(&placed.ca),
        [ours.authority.certificate_der().clone()]
    );
}

#[test]
fn the_files_are_public_and_hold_no_key() {
    let ours = Ours::new();
    let placed = place(&ours);
    let Placed {
        bundle,
        ca,
        truststore,
    } = &placed;
    for path in [bundle, ca, truststore] {
        assert_eq!(
            fs::metadata(path).unwrap().permissions().mode() & 0o7777,
            0o644
        );
        let content = fs::read(path).unwrap();
        assert!(!content.windows(7).any(|window| window == b"PRIVATE"));
    }
    let folder = bundle.parent().unwrap();
    assert_eq!(
        fs::metadata(folder).unwrap().permissions().mode() & 0o7777,
        0o755
    );
    assert_eq!(fs::read_dir(folder).unwrap().count(), 3);
}

#[test]
fn placing_again_replaces() {
    let ours = Ours::new();
    let placed = place(&ours);
    fs::write(&placed.bundle, "spoilt").unwrap();
    assert_eq!(place(&ours), placed);
    assert!(certificates(&placed.bundle).contains(ours.authority.certificate_der()));
}

#[test]
fn many_may_place_at_once() {
    let ours = Ours::new();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| place(&ours));
        }
    });
    let placed = place(&ours);
    assert_eq!(
        fs::read_dir(placed.ca.parent().unwrap()).unwrap().count(),
        3
    );
}

/// Runs a program that is part of no test setup; without it there is nothing to ask.
fn run(program: &str, arguments: &[&OsStr]) -> Option<String> {
    match Command::new(program).args(arguments).output() {
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let errors = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success(), "{program}: {text}{errors}");
            Some(text)
        }
        Err(error) => {
            println!("skipped: `{program}` cannot be run here ({error})");
            None
        }
    }
}

#[test]
fn java_reads_the_trust_store() {
    let ours = Ours::new();
    let placed = place(&ours);
    let count = certificates(&placed.bundle).len();
    let mut arguments: Vec<&OsStr> = [
        "-J-Xshare:auto",
        "-list",
        "-storetype",
        "PKCS12",
        "-storepass",
    ]
    .map(OsStr::new)
    .into();
    arguments.extend([
        OsStr::new(trust::TRUSTSTORE_PASSWORD),
        OsStr::new("-keystore"),
        placed.truststore.as_os_str(),
    ]);
    let Some(listing) = run("keytool", &arguments) else {
        return;
    };
    assert_eq!(
        listing.matches("trustedCertEntry").count(),
        count,
        "{listing}"
    );
    assert!(listing.contains(&ours.authority.fingerprint().to_string()));
}

#[test]
fn openssl_reads_the_trust_store_and_its_integrity_holds() {
    let ours = Ours::new();
    let placed = place(&ours);
    let count = certificates(&placed.bundle).len();
    let mut arguments: Vec<&OsStr> = ["pkcs12", "-nokeys", "-passin", "pass:changeit", "-in"]
        .map(OsStr::new)
        .into();
    arguments.push(placed.truststore.as_os_str());
    let Some(listing) = run("openssl", &arguments) else {
        return;
    };
    assert_eq!(listing.matches("BEGIN CERTIFICATE").count(), count);
}

#[test]
fn openssl_accepts_our_chain_in_strict_mode() {
    let ours = Ours::new();
    let placed = place(&ours);
    let key = rcgen::KeyPair::generate().unwrap();
    for name in [
        "api.openai.com",
        "192.0.2.7",
        &format!("{}.example", "a.".repeat(100) + "b"),
    ] {
        let host = super::stage::host(name);
        let span = crate::leaf::Span::starting(std::time::SystemTime::now());
        let params = crate::leaf::params(&host, span).unwrap();
        let leaf = ours.authority.sign(&params, &key).unwrap();
        let path = ours.dir.path().join("leaf.pem");
        fs::write(&path, crate::certificate::encode([&leaf])).unwrap();
        let options = [
            "verify",
            "-x509_strict",
            "-purpose",
            "sslserver",
            "-no-CApath",
            "-CAfile",
        ];
        let mut arguments: Vec<&OsStr> = options.map(OsStr::new).into();
        arguments.extend([placed.ca.as_os_str(), path.as_os_str()]);
        run("openssl", &arguments);
    }
}

#[test]
fn every_variable_points_at_a_file_that_suits_it() {
    let ours = Ours::new();
    let placed = place(&ours);
    let variables: HashMap<_, _> = trust::environment(&placed, None).into_iter().collect();
    for additive in ["NODE_EXTRA_CA_CERTS", "DENO_CERT"] {
        assert_eq!(variables[additive], placed.ca);
    }
    for replacing in [
        "SSL_CERT_FILE",
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
        "GIT_SSL_CAINFO",
        "AWS_CA_BUNDLE",
    ] {
        assert_eq!(variables[replacing], placed.bundle);
    }
    assert!(!variables.contains_key("SSL_CERT_DIR"));
    assert_eq!(
        variables.len(),
        trust::environment(&placed, None).len(),
        "each once"
    );
}

#[test]
fn java_options_of_the_agent_are_kept() {
    let placed = Placed {
        bundle: "/t/bundle.pem".into(),
        ca: "/t/ca.pem".into(),
        truststore: "/t/a b/truststore.p12".into(),
    };
    let java = |before: Option<&str>| -> OsString {
        let all = trust::environment(&placed, before.map(OsStr::new));
        all.into_iter()
            .find(|(name, _)| *name == "JAVA_TOOL_OPTIONS")
            .unwrap()
            .1
    };
    let ours = "\"-Djavax.net.ssl.trustStore=/t/a b/truststore.p12\" -Djavax.net.ssl.trustStoreType=PKCS12 -Djavax.net.ssl.trustStorePassword=changeit";
    assert_eq!(java(None), ours);
    assert_eq!(java(Some("")), ours);
    assert_eq!(
        java(Some("-Xmx1g")),
        OsString::from(format!("-Xmx1g {ours}"))
    );
}

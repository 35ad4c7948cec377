//! A CA for some names only: it says so in its certificate, verifiers hold it to that, and we do before them.

use std::sync::Arc;
use std::time::SystemTime;

use enforcer_flow::CHECK_NAME;
use rcgen::KeyPair;
use rustls::ServerConfig;
use rustls::version::TLS13;
use rustls_pki_types::PrivatePkcs8KeyDer;
use tempfile::TempDir;

use super::stage::{Agent, host};
use crate::{Authority, AuthorityConfig, Leaves, Subtree, TlsError, leaf, provider};

fn config(dir: &TempDir, permitted: &[&str]) -> AuthorityConfig {
    AuthorityConfig {
        permitted: permitted.iter().map(|text| text.parse().unwrap()).collect(),
        ..AuthorityConfig::kept_in(&dir.path().join("ca"))
    }
}

#[test]
fn names_and_addresses_are_permitted_as_they_are_written() {
    let dir = TempDir::new().unwrap();
    let permitted = ["example.com", "10.0.0.0/8", "2001:db8::/32"];
    let authority = Authority::open(&config(&dir, &permitted)).unwrap();
    let told: Vec<_> = authority
        .certificate()
        .constraints()
        .permitted()
        .map(ToString::to_string)
        .collect();
    assert_eq!(told[..3], permitted);
    for yes in [
        "example.com",
        "a.b.example.com",
        "10.1.2.3",
        "2001:db8::1",
        CHECK_NAME,
    ] {
        assert!(authority.permits(&host(yes)), "{yes}");
    }
    for no in [
        "badexample.com",
        "example.org",
        "com",
        "11.0.0.1",
        "2001:db9::1",
    ] {
        assert!(!authority.permits(&host(no)), "{no}");
    }
    // To permit names says nothing of addresses, unless something does.
    let dir = TempDir::new().unwrap();
    let names = Authority::open(&config(&dir, &["example.com"])).unwrap();
    assert!(!names.permits(&host("192.0.2.1")) && !names.permits(&host("2001:db8::1")));
}

#[tokio::test]
async fn a_constrained_ca_mints_nothing_outside_and_is_believed_inside() {
    let dir = TempDir::new().unwrap();
    let authority = Authority::open(&config(&dir, &["example.com"])).unwrap();
    let agent = Agent::trusting(authority.certificate_der(), &TLS13);
    let leaves = Leaves::new(authority.into()).unwrap();
    for inside in ["example.com", "api.example.com", CHECK_NAME] {
        let served = leaves.server_config(&host(inside)).unwrap();
        agent.meet(served, inside).await.exchange().await;
    }
    for outside in ["example.org", "192.0.2.1"] {
        let error = leaves.server_config(&host(outside)).unwrap_err();
        assert!(matches!(error, TlsError::NotPermitted { .. }), "{error}");
        assert!(error.to_string().contains("inspect: false"), "{error}");
    }
}

/// A server with a leaf that was signed without asking whether it may be.
fn signed_regardless(authority: &Authority, name: &str) -> Arc<ServerConfig> {
    let key = KeyPair::generate().unwrap();
    let params = leaf::params(&host(name), leaf::Span::starting(SystemTime::now())).unwrap();
    let chain = vec![authority.sign(&params, &key).unwrap()];
    let key = PrivatePkcs8KeyDer::from(key.serialize_der());
    let config = ServerConfig::builder_with_provider(provider::agent_side())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key.into());
    Arc::new(config.unwrap())
}

#[tokio::test]
async fn verifiers_hold_a_constrained_ca_to_its_word() {
    let dir = TempDir::new().unwrap();
    let authority = Authority::open(&config(&dir, &["example.com"])).unwrap();
    let agent = Agent::trusting(authority.certificate_der(), &TLS13);
    let inside = signed_regardless(&authority, "a.example.com");
    agent.meet(inside, "a.example.com").await.exchange().await;
    for outside in ["example.org", "192.0.2.1"] {
        let outside_config = signed_regardless(&authority, outside);
        agent.meet(outside_config, outside).await.refused();
    }
    // Without the limit in the configuration, that of the certificate is still obeyed.
    let unlimited = Authority::open(&config(&dir, &[])).unwrap();
    assert!(!unlimited.permits(&host("example.org")));
}

#[test]
fn a_ca_from_before_the_limit_is_held_to_it_and_told_of() {
    let dir = TempDir::new().unwrap();
    Authority::open(&config(&dir, &[])).unwrap();
    let limited = config(&dir, &["example.com"]);
    let authority = Authority::open(&limited).unwrap();
    assert!(!authority.permits(&host("example.org")));
    let told = authority.problem(SystemTime::now()).unwrap();
    assert!(told.contains("ca rotate"), "{told}");
    let rotated = Authority::rotate(&limited).unwrap();
    assert_eq!(rotated.problem(SystemTime::now()), None);
    assert!(!rotated.certificate().constraints().is_empty());
}

#[test]
fn what_is_no_name_and_no_network_is_refused() {
    for text in ["*.example.com", "10.0.0.0/33", "a b", "", "::/129"] {
        let error = text.parse::<Subtree>().unwrap_err();
        assert!(error.contains("example.com"), "{text}: {error}");
    }
}

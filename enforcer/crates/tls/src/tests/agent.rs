//! Agents that meet us: those that trust us, those that do not, and those that speak nonsense.

use std::sync::Arc;

use enforcer_flow::Side;
use rustls::version::{TLS12, TLS13};
use rustls::{CipherSuite, HandshakeKind, NamedGroup};
use rustls_pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use super::stage::{Agent, Ours, World, host};
use crate::{AcceptError, accept};

const VERSIONS: [&rustls::SupportedProtocolVersion; 2] = [&TLS12, &TLS13];

#[tokio::test]
async fn every_host_gets_a_leaf_that_verifies() {
    let ours = Ours::new();
    let long = format!("{}.example", vec!["abcdefghi"; 24].join("."));
    let hosts = [
        "api.openai.com",
        "_service.under_score.example",
        "xn--bcher-kva.example",
        "192.0.2.7",
        "2001:db8::1",
        "localhost",
        &long,
    ];
    for version in VERSIONS {
        for name in hosts {
            let met = ours.meet(&ours.agent(version), name, name).await;
            let (agent, _) = met.exchange().await;
            let spoken = agent.get_ref().1.protocol_version();
            assert_eq!(spoken, Some(version.version), "`{name}`");
        }
    }
}

#[tokio::test]
async fn h2_is_chosen_over_http1_and_silence_is_accepted() {
    let ours = Ours::new();
    let cases: [(&[&str], Option<&[u8]>); 4] = [
        (&["http/1.1", "h2"], Some(b"h2")),
        (&["h2"], Some(b"h2")),
        (&["http/1.1"], Some(b"http/1.1")),
        (&[], None),
    ];
    for (offered, chosen) in cases {
        let agent = ours.agent(&TLS13).offering(offered);
        let met = ours.meet(&agent, "a.example", "a.example").await;
        let (agent, server) = met.exchange().await;
        assert_eq!(agent.get_ref().1.alpn_protocol(), chosen);
        assert_eq!(server.get_ref().1.alpn_protocol(), chosen);
    }
}

#[tokio::test]
async fn the_cheapest_suite_is_chosen_whatever_the_agent_prefers() {
    let ours = Ours::new();
    let met = ours
        .meet(
            &ours.agent_with_library_defaults(),
            "a.example",
            "a.example",
        )
        .await;
    let (agent, _) = met.exchange().await;
    let session = agent.get_ref().1;
    let suite = session.negotiated_cipher_suite().unwrap().suite();
    assert_eq!(suite, CipherSuite::TLS13_AES_128_GCM_SHA256);
    let group = session.negotiated_key_exchange_group().unwrap().name();
    assert_eq!(group, NamedGroup::X25519);
}

#[tokio::test]
async fn other_application_protocols_are_told_apart() {
    let ours = Ours::new();
    let agent = ours.agent(&TLS13).offering(&["dot"]);
    let error = ours.meet(&agent, "a.example", "a.example").await.refused();
    assert!(matches!(error, AcceptError::NoProtocol), "{error:?}");
}

#[tokio::test]
async fn sessions_resume_by_the_tickets_of_tls_1_2_alone() {
    let ours = Ours::new();
    for (version, again) in [
        (&TLS12, HandshakeKind::Resumed),
        (&TLS13, HandshakeKind::Full),
    ] {
        let agent = ours.agent(version);
        for expected in [HandshakeKind::Full, again] {
            let met = ours.meet(&agent, "a.example", "a.example").await;
            let (mut client, server) = met.exchange().await;
            assert_eq!(client.get_ref().1.handshake_kind(), Some(expected));
            assert_eq!(server.get_ref().1.handshake_kind(), Some(expected));
            assert!(client.get_mut().1.early_data().is_none());
        }
    }
    let config = ours.leaves.server_config(&host("a.example")).unwrap();
    assert_eq!(config.max_early_data_size, 0);
}

#[tokio::test]
async fn a_ticket_of_one_name_does_not_resume_under_another() {
    let ours = Ours::new();
    // Without a name in its hello nothing but the ticket keys keeps the agent's session for `a` from resuming where `b` is
    // served; then it would take `b` for `a` without seeing a certificate.
    let agent = ours.agent(&TLS12).unnamed();
    for expected in [HandshakeKind::Full, HandshakeKind::Resumed] {
        let met = ours.meet(&agent, "a.example", "a.example").await;
        let (_, server) = met.exchange().await;
        assert_eq!(server.get_ref().1.handshake_kind(), Some(expected));
    }
    let error = ours.meet(&agent, "a.example", "b.example").await.refused();
    assert!(matches!(error, AcceptError::Distrust(_)), "{error:?}");
}

#[tokio::test]
async fn a_leaf_is_not_shown_to_a_hello_that_names_another_host() {
    let ours = Ours::new();
    for served in ["b.example", "192.0.2.7"] {
        let agent = ours.agent(&TLS13);
        let error = ours.meet(&agent, "a.example", served).await.refused();
        assert!(matches!(error, AcceptError::Handshake(_)), "{error:?}");
        assert_eq!(error.side(), Side::Agent);
    }
}

#[tokio::test]
async fn an_agent_that_does_not_trust_us_is_told_apart() {
    let (ours, stranger) = (Ours::new(), Ours::new());
    for version in VERSIONS {
        let agent = Agent::trusting(stranger.authority.certificate_der(), version);
        let error = ours.meet(&agent, "a.example", "a.example").await.refused();
        assert!(matches!(error, AcceptError::Distrust(_)), "{error:?}");
        assert_eq!(
            error.to_string(),
            "the agent does not accept a certificate of the local CA (alert unknown_ca)"
        );
    }
}

#[tokio::test]
async fn an_alert_about_anything_else_is_not_distrust() {
    let ours = Ours::new();
    let config = ours.leaves.server_config(&host("a.example")).unwrap();
    // handshake_failure, fatal.
    let error = send(config, b"\x15\x03\x03\x00\x02\x02\x28").await;
    assert!(matches!(error, AcceptError::Handshake(_)), "{error:?}");
}

#[tokio::test]
async fn an_agent_that_leaves_is_told_apart() {
    let ours = Ours::new();
    let config = || ours.leaves.server_config(&host("a.example")).unwrap();
    for bytes in [&b""[..], b"\x16\x03\x01\x00\xff\x01"] {
        let error = send(config(), bytes).await;
        assert!(matches!(error, AcceptError::Closed), "{error:?}");
    }
    // On seeing our certificate, without an alert.
    let (near, far) = duplex(64 * 1024);
    let agent = ours.agent(&TLS13);
    let leaving = async move {
        let name = ServerName::try_from("a.example").unwrap();
        let mut client = rustls::ClientConnection::new(Arc::clone(&agent.config), name).unwrap();
        let mut hello = Vec::new();
        client.write_tls(&mut hello).unwrap();
        let mut near = near;
        near.write_all(&hello).await.unwrap();
        near.read_exact(&mut [0; 5]).await.unwrap();
    };
    let (accepted, ()) = tokio::join!(accept(config(), far), leaving);
    let error = accepted.unwrap_err();
    assert!(matches!(error, AcceptError::Closed), "{error:?}");
}

#[tokio::test]
async fn garbage_is_a_fault_of_the_agent() {
    let ours = Ours::new();
    let config = ours.leaves.server_config(&host("a.example")).unwrap();
    let error = send(config, b"GET / HTTP/1.1\r\n\r\n").await;
    assert!(matches!(error, AcceptError::Handshake(_)), "{error:?}");
    assert_eq!(error.side(), Side::Agent);
}

#[tokio::test]
async fn the_chain_is_one_short_lived_leaf_for_one_name() {
    let ours = Ours::new();
    let met = ours
        .meet(&ours.agent(&TLS13), "a.example", "a.example")
        .await;
    let (agent, _) = met.exchange().await;
    let chain = agent.get_ref().1.peer_certificates().unwrap();
    assert_eq!(chain.len(), 1);
    let (_, leaf) = X509Certificate::from_der(&chain[0]).unwrap();
    let names = leaf.subject_alternative_name().unwrap().unwrap();
    assert_eq!(
        names.value.general_names,
        [GeneralName::DNSName("a.example")]
    );
    let seconds = leaf.validity().not_after.timestamp() - leaf.validity().not_before.timestamp();
    assert_eq!(seconds, 8 * 24 * 3600);
    assert_eq!(leaf.raw_serial().len(), 16);
    assert!(!leaf.is_ca());
    let usage = leaf.extended_key_usage().unwrap().unwrap().value;
    assert!(usage.server_auth && !usage.client_auth && !usage.any);
    let usage = leaf.key_usage().unwrap().unwrap().value;
    assert!(usage.digital_signature() && !usage.key_cert_sign());
}

#[tokio::test]
async fn two_leaves_have_two_serials() {
    let ours = Ours::new();
    let mut serials = Vec::new();
    for name in ["a.example", "b.example"] {
        let met = ours.meet(&ours.agent(&TLS13), name, name).await;
        let (agent, _) = met.exchange().await;
        let chain = agent.get_ref().1.peer_certificates().unwrap();
        let (_, leaf) = X509Certificate::from_der(&chain[0]).unwrap();
        serials.push(leaf.raw_serial().to_vec());
    }
    assert_ne!(serials[0], serials[1]);
}

/// An agent that trusts a public CA only is refused by nothing but itself: our leaf is not one of that CA.
#[tokio::test]
async fn a_leaf_of_ours_does_not_verify_under_another_root() {
    let (ours, world) = (Ours::new(), World::new());
    let connector = crate::Connector::new(&[world.roots()]).unwrap();
    let config = ours.leaves.server_config(&host("a.example")).unwrap();
    let (near, far) = duplex(64 * 1024);
    let name = host("a.example");
    let connecting = connector.connect(&name, crate::Alpn::None, near);
    let (connected, accepted) = tokio::join!(connecting, accept(config, far));
    assert!(matches!(connected, Err(crate::ConnectError::Untrusted)));
    assert!(matches!(accepted, Err(AcceptError::Distrust(_))));
}

/// What we say of an agent that sends `bytes` and goes.
async fn send(config: Arc<rustls::ServerConfig>, bytes: &[u8]) -> AcceptError {
    let (mut near, far) = duplex(64 * 1024);
    near.write_all(bytes).await.unwrap();
    near.shutdown().await.unwrap();
    accept(config, far).await.expect_err("the handshake fails")
}

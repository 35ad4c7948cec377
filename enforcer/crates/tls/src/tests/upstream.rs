//! Upstreams that we meet: those we may trust, and every kind that we must not.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use enforcer_flow::Side;
use rustls::crypto::aws_lc_rs::kx_group;
use rustls::{HandshakeKind, NamedGroup, ServerConfig};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio_rustls::client::TlsStream;

use super::stage::{Claims, DAY, World, host};
use crate::{Alpn, ConnectError, Connector, TlsError, accept, provider};

/// What we offer, what the server speaks, and what is chosen.
type Spoken = (Alpn, &'static [&'static str], Option<&'static [u8]>);
type Connected = Result<TlsStream<DuplexStream>, ConnectError>;

/// The handshake with `server` as `name`, and one byte back so that tickets arrive.
async fn meet(
    connector: &Connector,
    alpn: Alpn,
    name: &str,
    server: Arc<ServerConfig>,
) -> Connected {
    let (near, far) = duplex(64 * 1024);
    let name = host(name);
    let serving = async {
        let mut stream = accept(server, far).await.ok()?;
        stream.write_all(b"!").await.ok()?;
        stream.flush().await.ok()?;
        Some(stream)
    };
    let asking = async {
        let mut stream = connector.connect(&name, alpn, near).await?;
        stream
            .read_exact(&mut [0])
            .await
            .map_err(ConnectError::Io)?;
        Ok(stream)
    };
    let (_serving, asked) = tokio::join!(serving, asking);
    asked
}

/// What a connector that trusts the world says of a server with these claims, asked for as `name`.
async fn refusal(world: &World, name: &str, claims: Claims) -> ConnectError {
    let connector = Connector::new(&[world.roots()]).unwrap();
    let met = meet(&connector, Alpn::Either, name, world.server(claims, &[])).await;
    let error = met.expect_err("the handshake fails");
    assert_eq!(error.side(), Side::Upstream);
    error
}

#[tokio::test]
async fn the_protocol_offered_is_the_one_asked_for() {
    let world = World::new();
    let connector = Connector::new(&[world.roots()]).unwrap();
    let cases: [Spoken; 6] = [
        (Alpn::Either, &["h2", "http/1.1"], Some(b"h2")),
        (Alpn::Either, &["http/1.1"], Some(b"http/1.1")),
        (Alpn::Http1, &["h2", "http/1.1"], Some(b"http/1.1")),
        (Alpn::Http2, &["h2", "http/1.1"], Some(b"h2")),
        (Alpn::None, &["h2", "http/1.1"], None),
        (Alpn::Http1, &[], None),
    ];
    for (offered, spoken, chosen) in cases {
        let server = world.server(Claims::valid("api.example"), spoken);
        let stream = meet(&connector, offered, "api.example", server)
            .await
            .unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), chosen, "{offered:?}");
    }
}

#[tokio::test]
async fn an_upstream_without_a_common_protocol_is_told_apart() {
    let world = World::new();
    let connector = Connector::new(&[world.roots()]).unwrap();
    let server = world.server(Claims::valid("api.example"), &["h2"]);
    let error = meet(&connector, Alpn::Http1, "api.example", server)
        .await
        .unwrap_err();
    assert!(matches!(error, ConnectError::NoProtocol), "{error:?}");
}

#[tokio::test]
async fn addresses_are_verified_like_names() {
    let world = World::new();
    let connector = Connector::new(&[world.roots()]).unwrap();
    for name in ["192.0.2.7", "2001:db8::1"] {
        let server = world.server(Claims::valid(name), &[]);
        meet(&connector, Alpn::Either, name, server).await.unwrap();
    }
    let error = refusal(&world, "192.0.2.8", Claims::valid("192.0.2.7")).await;
    assert!(matches!(error, ConnectError::WrongName { .. }), "{error:?}");
}

#[tokio::test]
async fn an_expired_certificate_is_refused() {
    let now = SystemTime::now();
    let claims = Claims {
        from: now - 2 * DAY,
        until: now - DAY,
        ..Claims::valid("api.example")
    };
    let error = refusal(&World::new(), "api.example", claims).await;
    assert!(matches!(error, ConnectError::Expired), "{error:?}");
}

#[tokio::test]
async fn a_certificate_of_the_future_is_refused() {
    let now = SystemTime::now();
    let claims = Claims {
        from: now + DAY,
        until: now + 2 * DAY,
        ..Claims::valid("api.example")
    };
    let error = refusal(&World::new(), "api.example", claims).await;
    assert!(matches!(error, ConnectError::NotYetValid), "{error:?}");
}

#[tokio::test]
async fn a_certificate_for_other_names_is_refused() {
    let error = refusal(&World::new(), "api.example", Claims::valid("evil.example")).await;
    let ConnectError::WrongName { presented } = &error else {
        panic!("{error:?}");
    };
    assert!(
        presented.iter().any(|name| name.contains("evil.example")),
        "{presented:?}"
    );
    let nameless = Claims {
        names: vec![],
        ..Claims::valid("")
    };
    let error = refusal(&World::new(), "api.example", nameless).await;
    assert!(matches!(error, ConnectError::WrongName { .. }), "{error:?}");
}

#[tokio::test]
async fn a_wildcard_covers_one_label_only() {
    let world = World::new();
    let connector = Connector::new(&[world.roots()]).unwrap();
    let server = world.server(Claims::valid("*.example.com"), &[]);
    meet(&connector, Alpn::Either, "a.example.com", server)
        .await
        .unwrap();
    let error = refusal(&world, "a.b.example.com", Claims::valid("*.example.com")).await;
    assert!(matches!(error, ConnectError::WrongName { .. }), "{error:?}");
}

#[tokio::test]
async fn an_untrusted_certificate_is_refused() {
    let world = World::new();
    let connector = Connector::new(&[world.roots()]).unwrap();
    // A stranger, and one who calls himself like the root we trust.
    for stranger in [World::named("Some stranger"), World::new()] {
        let server = stranger.server(Claims::valid("api.example"), &[]);
        let met = meet(&connector, Alpn::Either, "api.example", server).await;
        let error = met.unwrap_err();
        assert!(matches!(error, ConnectError::Untrusted), "{error:?}");
    }
}

#[tokio::test]
async fn without_extra_roots_a_private_root_is_not_trusted() {
    let connector = Connector::new(&[]).unwrap();
    let server = World::new().server(Claims::valid("api.example"), &[]);
    let error = meet(&connector, Alpn::Either, "api.example", server)
        .await
        .unwrap_err();
    assert!(matches!(error, ConnectError::Untrusted), "{error:?}");
}

#[tokio::test]
async fn sessions_resume_within_one_set_of_protocols() {
    let world = World::new();
    let connector = Connector::new(&[world.roots()]).unwrap();
    let server = world.server(Claims::valid("api.example"), &["h2", "http/1.1"]);
    let cases = [
        (Alpn::Http1, HandshakeKind::Full),
        (Alpn::Http1, HandshakeKind::Resumed),
        (Alpn::Http2, HandshakeKind::Full),
        (Alpn::Http1, HandshakeKind::Resumed),
    ];
    for (alpn, kind) in cases {
        let met = meet(&connector, alpn, "api.example", Arc::clone(&server)).await;
        assert_eq!(met.unwrap().get_ref().1.handshake_kind(), Some(kind));
    }
}

#[tokio::test]
async fn the_key_exchange_is_hybrid_where_the_server_can_and_costs_no_round_trip_where_not() {
    let world = World::new();
    let connector = Connector::new(&[world.roots()]).unwrap();
    let mut plain = (*provider::upstream_side()).clone();
    plain.kx_groups = vec![kx_group::X25519];
    let cases = [
        (provider::upstream_side(), NamedGroup::X25519MLKEM768),
        (Arc::new(plain), NamedGroup::X25519),
    ];
    for (provider, group) in cases {
        let server = world.server_with(provider, Claims::valid("api.example"), &[]);
        let met = meet(&connector, Alpn::Http1, "api.example", server).await;
        let stream = met.unwrap();
        let session = stream.get_ref().1;
        assert_eq!(
            session.negotiated_key_exchange_group().unwrap().name(),
            group
        );
        assert_eq!(session.handshake_kind(), Some(HandshakeKind::Full));
    }
}

#[tokio::test]
async fn an_upstream_that_hangs_up_or_talks_nonsense_is_told_apart() {
    let connector = Connector::new(&[]).unwrap();
    let name = host("api.example");
    let (near, far) = duplex(64 * 1024);
    drop(far);
    let error = connector
        .connect(&name, Alpn::Either, near)
        .await
        .unwrap_err();
    assert!(matches!(error, ConnectError::Closed), "{error:?}");
    let (near, mut far) = duplex(64 * 1024);
    far.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        .await
        .unwrap();
    let error = connector
        .connect(&name, Alpn::Either, near)
        .await
        .unwrap_err();
    assert!(matches!(error, ConnectError::Handshake(_)), "{error:?}");
    let (near, mut far) = duplex(64 * 1024);
    // unrecognized_name, fatal.
    far.write_all(b"\x15\x03\x03\x00\x02\x02\x70")
        .await
        .unwrap();
    let error = connector
        .connect(&name, Alpn::Either, near)
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the upstream ended the handshake (alert unrecognized_name)"
    );
}

#[tokio::test]
async fn a_host_that_tls_cannot_name_is_the_agents_fault() {
    let connector = Connector::new(&[]).unwrap();
    let (near, _far) = duplex(1024);
    let name = host("-a.example");
    let error = connector
        .connect(&name, Alpn::Either, near)
        .await
        .unwrap_err();
    assert!(matches!(error, ConnectError::Name(_)), "{error:?}");
    assert_eq!(error.side(), Side::Agent);
}

#[test]
fn extra_roots_that_are_none_stop_the_start_and_are_named() {
    let dir = TempDir::new().unwrap();
    let good = World::new();
    let file = |name: &str, text: &str| -> PathBuf {
        let path = dir.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let not_a_certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let cases = [
        dir.path().join("missing.pem"),
        file("empty.pem", ""),
        file("text.pem", "no certificate"),
        file("wrong.pem", not_a_certificate),
        file("cut.pem", "-----BEGIN CERTIFICATE-----\nMIIB"),
    ];
    for path in cases {
        let error = Connector::new(&[good.roots(), path.clone()]).unwrap_err();
        assert!(names(&error, &path), "{error}");
    }
    assert!(Connector::new(&[good.roots()]).is_ok());
}

fn names(error: &TlsError, path: &Path) -> bool {
    error.to_string().contains(&path.display().to_string())
}

//! TLS, opened as the name that it asks for or that was looked up, and judged by what is inside.

use tokio::io::AsyncWriteExt;

use crate::agent::{Tls, get, get_and_stay, get_http2, is_ok, is_refused};
use crate::far::{ELSEWHERE, Far};
use crate::world::{Setup, World, at};

async fn api() -> (Far, World) {
    let far = Far::answering_as("api.example").await;
    let world = Setup::default().towards("api.example", 443, &far).start();
    (far, world)
}

#[tokio::test]
async fn tls_is_opened_as_the_name_it_asks_for() {
    let (_far, world) = api().await;
    let agent = Tls::to("api.example", world.certificate());
    let stream = agent.shake(world.open(at(ELSEWHERE, 443)).await).await;
    is_ok(&get(stream.unwrap(), "api.example", "/v1/models").await);
    let entries = world.ended(1).await;
    let granted = entries.one("exchange_granted");
    assert_eq!(
        (&granted["protocol"], &granted["host"]),
        (&"https".into(), &"api.example".into())
    );
    assert_eq!(granted["path"], "/v1/models");
    entries.one("exchange_closed");
    entries.one("flow_closed");
}

#[tokio::test]
async fn a_name_that_no_rule_allows_is_refused_inside_tls() {
    let (far, world) = api().await;
    let agent = Tls::to("other.example", world.certificate());
    // The address stands for an allowed name, but that is not whom the agent asks for.
    let dst = world.named("api.example", 443);
    let stream = agent.shake(world.open(dst).await).await.unwrap();
    is_refused(&get(stream, "other.example", "/v1/models").await);
    let entries = world.ended(1).await;
    let denied = entries.one("exchange_denied");
    assert_eq!(
        (&denied["cause"], &denied["host"]),
        (&"no_rule".into(), &"other.example".into())
    );
    assert_eq!(far.accepted(), 0);
}

#[tokio::test]
async fn tls_without_a_server_name_is_opened_as_the_name_that_was_looked_up() {
    let (_far, world) = api().await;
    let agent = Tls::to("api.example", world.certificate()).unnamed();
    let dst = world.named("api.example", 443);
    let stream = agent.shake(world.open(dst).await).await.unwrap();
    is_ok(&get(stream, "api.example", "/v1/models").await);
    assert_eq!(
        world.ended(1).await.one("exchange_granted")["host"],
        "api.example"
    );
}

#[tokio::test]
async fn tls_without_a_server_name_is_opened_as_the_address() {
    let far = Far::answering_as("192.0.2.7").await;
    let world = Setup::default().towards("192.0.2.7", 443, &far).start();
    for (address, allowed) in [("192.0.2.7", true), ("192.0.2.8", false)] {
        let agent = Tls::to(address, world.certificate());
        let dst = at(address.parse().unwrap(), 443);
        let stream = agent.shake(world.open(dst).await).await.unwrap();
        let answer = get(stream, address, "/v1/models").await;
        if allowed {
            is_ok(&answer);
        } else {
            is_refused(&answer);
        }
    }
    let entries = world.ended(2).await;
    assert_eq!(entries.one("exchange_granted")["host"], "192.0.2.7");
    assert_eq!(entries.one("exchange_denied")["host"], "192.0.2.8");
    assert_eq!(far.accepted(), 1);
}

#[tokio::test]
async fn server_name_and_host_must_agree() {
    let (far, world) = api().await;
    let agent = Tls::to("other.example", world.certificate());
    let stream = agent.shake(world.open(at(ELSEWHERE, 443)).await).await;
    is_refused(&get(stream.unwrap(), "api.example", "/v1/models").await);
    let entries = world.ended(1).await;
    assert_eq!(
        entries.one("exchange_denied")["cause"],
        "authority_mismatch"
    );
    entries.none("exchange_granted");
    assert_eq!(far.accepted(), 0);
}

#[tokio::test]
async fn either_version_of_http_is_agreed_on() {
    let (_far, world) = api().await;
    let agent = Tls::to("api.example", world.certificate()).offering(b"http/1.1");
    let stream = agent
        .shake(world.open(at(ELSEWHERE, 443)).await)
        .await
        .unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    is_ok(&get(stream, "api.example", "/v1/models").await);
    for (path, status) in [("/v1/models", 200), ("/v2/models", 403)] {
        let agent = Tls::to("api.example", world.certificate()).offering(b"h2");
        let stream = agent
            .shake(world.open(at(ELSEWHERE, 443)).await)
            .await
            .unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        let (got, body) = get_http2(stream, &format!("https://api.example{path}")).await;
        assert_eq!((got.as_u16(), &body[..] == b"ok"), (status, status == 200));
    }
    let entries = world.ended(3).await;
    assert_eq!(entries.all("exchange_closed").len(), 2, "{entries}");
    entries.one("exchange_denied");
    assert_eq!(entries.all("flow_closed").len(), 3, "{entries}");
}

#[tokio::test]
async fn another_protocol_inside_tls_is_not_agreed_on() {
    let (far, world) = api().await;
    let agent = Tls::to("api.example", world.certificate()).offering(b"imap");
    assert!(
        agent
            .shake(world.open(at(ELSEWHERE, 443)).await)
            .await
            .is_err()
    );
    world
        .ended(1)
        .await
        .aborted("agent", "no_application_protocol");
    assert_eq!(far.accepted(), 0);
}

#[tokio::test]
async fn an_agent_that_does_not_trust_our_authority_is_recorded_as_such() {
    let (far, world) = api().await;
    let agent = Tls::to("api.example", far.root());
    assert!(
        agent
            .shake(world.open(at(ELSEWHERE, 443)).await)
            .await
            .is_err()
    );
    world.ended(1).await.aborted("agent", "ca_not_trusted");
    assert_eq!(far.accepted(), 0);
}

#[tokio::test]
async fn a_far_side_with_another_name_is_not_believed() {
    let far = Far::answering_as("other.example").await;
    let world = Setup::default().towards("api.example", 443, &far).start();
    let agent = Tls::to("api.example", world.certificate());
    let stream = agent.shake(world.open(at(ELSEWHERE, 443)).await).await;
    let answer = get(stream.unwrap(), "api.example", "/v1/models").await;
    assert!(
        answer.starts_with("HTTP/1.1 502 Bad Gateway\r\n"),
        "{answer}"
    );
    let entries = world.ended(1).await;
    let aborted = entries.one("exchange_aborted");
    assert_eq!(aborted["cause"], "certificate_wrong_name", "{entries}");
    assert_eq!(aborted["side"], "upstream");
}

#[tokio::test]
async fn tls_passes_unopened_only_where_a_rule_says_so() {
    let far = Far::answering_as("sealed.example").await;
    let world = Setup::default()
        .towards("sealed.example", 443, &far)
        .start();
    // Trusts the far side's CA and not ours: it can only have met the far side itself.
    let agent = Tls::to("sealed.example", far.root());
    let stream = agent.shake(world.open(at(ELSEWHERE, 443)).await).await;
    let mut stream = stream.unwrap();
    get_and_stay(&mut stream, "whatever.example", "/v9").await;
    stream.shutdown().await.unwrap();
    drop(stream);
    let entries = world.ended(1).await;
    let granted = entries.one("exchange_granted");
    assert_eq!(
        (&granted["protocol"], &granted["rule"]),
        (&"tls".into(), &"test/sealed".into())
    );
    assert!(granted.get("path").is_none(), "{granted}");
    entries.one("exchange_closed");
    entries.one("flow_closed");
    // The rule does not speak of this port.
    let agent = Tls::to("sealed.example", far.root());
    assert!(
        agent
            .shake(world.open(at(ELSEWHERE, 8443)).await)
            .await
            .is_err()
    );
    let entries = world.ended(2).await;
    assert_eq!(entries.one("flow_aborted")["cause"], "ca_not_trusted");
    entries.one("exchange_granted");
    assert_eq!(far.accepted(), 1);
}

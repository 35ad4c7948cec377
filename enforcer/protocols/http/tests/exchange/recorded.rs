//! Exchanges of which something is recorded: what went, what came, and what is refused because it cannot be kept.

use std::time::Duration;

use enforcer_audit::{Fingerprint, Message, Way, read_recording};
use enforcer_credentials::{Secrets, Source};
use enforcer_http::Judging;
use futures_util::{SinkExt, StreamExt};
use http::StatusCode;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message as Spoken;

use crate::judged::{ask, post, text};
use crate::socket::{open_at, shake};
use crate::upstream::{self, Running};
use crate::world::{Entries, World};

const POLICY: &str = r#"
version: 1
name: test
detectors:
  name: { words: [Ada Lovelace] }
rules:
  - { id: plain, effect: allow, match: { host: api.example, port: 8080, protocol: http, path: "/plain/**" } }
  - { id: kept, effect: allow, match: { host: api.example, port: 8080, protocol: http, path: "/kept/**" }, record: true }
  - { id: masked, effect: allow, match: { host: api.example, port: 8080, protocol: http, path: "/masked/**" }, record: true, mask: name }
  - { id: filled, effect: allow, match: { host: api.example, port: 8080, protocol: http, path: "/filled/**" }, record: { answer: false }, inject: { header: authorization, prefix: "Bearer ", secret: key } }
  - { id: short, effect: allow, match: { host: api.example, port: 8080, protocol: http, path: "/short/**" }, record: { limit: 16 } }
  - { id: asked, effect: allow, match: { host: api.example, port: 8080, protocol: http, path: "/asked/**" }, record: { answer: false } }
  - { id: stopped, effect: allow, match: { host: api.example, port: 8080, protocol: http, path: "/stopped/**" }, record: true, mask: { detect: name, action: block } }
"#;

fn world(upstream: Running) -> World {
    let judging = Judging::without_secrets(64 << 20);
    World::judging(upstream, Duration::from_secs(30), (POLICY, judging))
}

/// One side of a recording.
type Side = Option<(Message, String)>;

/// Both sides of the recording that a line names, which must be as long and as digested as the line says.
fn recording(world: &World, line: &Value) -> (Side, Side) {
    let id = line["exchange"].as_str().unwrap();
    let said = &line["recording"];
    assert_eq!(said["file"], format!("{id}.json"), "{line}");
    let found = read_recording(&world.recordings(), id).unwrap().unwrap();
    assert_eq!(said["sha256"], found.digest.to_string(), "{line}");
    let side = |key: &str, part: Option<(Message, Vec<u8>)>| {
        let (message, body) = part?;
        assert_eq!(said[key]["bytes"], body.len(), "{line}");
        assert_eq!(said[key]["cut"], message.body.cut, "{line}");
        assert_eq!(said[key]["sha256"], message.body.sha256, "{line}");
        Some((message, String::from_utf8(body).unwrap()))
    };
    (side("request", found.request), side("answer", found.answer))
}

fn closed(ledger: &Entries) -> Value {
    ledger.one("exchange_closed")
}

fn header<'m>(message: &'m Message, name: &str) -> Vec<&'m str> {
    let own = message.headers.iter().filter(|(own, _)| own == name);
    own.map(|(_, value)| value.as_str()).collect()
}

#[tokio::test]
async fn what_is_recorded_is_what_went_out_and_what_came_back() {
    let world = world(upstream::echo().await);
    let body = "what was said";
    let mut request = post("/kept/x?q=1", body.to_owned());
    let value = "Bearer of-the-agent".parse().unwrap();
    request.headers_mut().insert("authorization", value);
    let response = ask(&world, request).await;
    assert_eq!(response.status(), StatusCode::OK);
    let seen = text(response).await;
    let ledger = world.ledger().await;
    let (request, answer) = recording(&world, &closed(&ledger));
    let (head, kept) = request.unwrap();
    assert_eq!(kept, body);
    assert_eq!(head.method.as_deref(), Some("POST"));
    assert_eq!(head.target.as_deref(), Some("/kept/x?q=1"));
    let shown = header(&head, "authorization");
    let granted = ledger.one("exchange_granted");
    assert_eq!(json!(shown), granted["credentials"], "{head:?}");
    let (head, kept) = answer.unwrap();
    assert_eq!((head.status, kept), (Some(200), seen));
}

#[tokio::test]
async fn without_a_rule_that_records_nothing_is_written() {
    let world = world(upstream::echo().await);
    let response = ask(&world, post("/plain/x", "said".to_owned())).await;
    assert_eq!(response.status(), StatusCode::OK);
    text(response).await;
    let ledger = world.ledger().await;
    assert!(closed(&ledger).get("recording").is_none());
    assert!(!world.recordings().exists());
}

#[tokio::test]
async fn what_is_masked_is_recorded_masked() {
    for length in [0, 100 * 1024] {
        let world = world(upstream::echo().await);
        let said = format!("{} by Ada Lovelace.", "a ".repeat(length / 2));
        let said = json!({ "note": said }).to_string();
        let response = ask(&world, post("/masked/x", said)).await;
        assert_eq!(response.status(), StatusCode::OK);
        let seen = text(response).await;
        let ledger = world.ledger().await;
        let (request, answer) = recording(&world, &closed(&ledger));
        let (_, kept) = request.unwrap();
        assert!(kept.ends_with("by [NAME].\"}"), "{length}");
        assert!(seen.ends_with(&kept), "{length}");
        assert_eq!(answer.unwrap().1, seen, "{length}");
    }
}

#[tokio::test]
async fn a_secret_that_is_filled_in_is_not_recorded() {
    let source = Source::Environment("KEY".to_owned());
    let secrets = Secrets::load([("key", &source)], |_| Some("s3cret-of-the-host".into()));
    let secrets = secrets.unwrap();
    let judging = Judging {
        secrets,
        ..Judging::without_secrets(64 << 20)
    };
    let upstream = upstream::echo().await;
    let world = World::judging(upstream, Duration::from_secs(30), (POLICY, judging));
    let response = ask(&world, post("/filled/x", "said".to_owned())).await;
    let seen = text(response).await;
    assert!(
        seen.contains("authorization: Bearer s3cret-of-the-host"),
        "{seen}"
    );
    let ledger = world.ledger().await;
    let (request, _) = recording(&world, &closed(&ledger));
    let (head, _) = request.unwrap();
    assert!(header(&head, "authorization").is_empty(), "{head:?}");
    for entry in std::fs::read_dir(world.recordings()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        let found = String::from_utf8_lossy(&bytes).contains("s3cret");
        assert!(!found, "{bytes:?}");
    }
}

#[tokio::test]
async fn recordings_are_cut_at_their_limit_and_exchanges_are_not() {
    let world = world(upstream::echo().await);
    let body = "0123456789".repeat(1000);
    let response = ask(&world, post("/short/x", body.clone())).await;
    let seen = text(response).await;
    assert!(seen.ends_with(&body));
    let ledger = world.ledger().await;
    let (request, answer) = recording(&world, &closed(&ledger));
    let (head, kept) = request.unwrap();
    assert_eq!((kept.as_str(), head.body.cut), (&body[..16], 10_000 - 16));
    let (head, kept) = answer.unwrap();
    assert_eq!(kept, seen[..16]);
    assert_eq!(head.body.cut, seen.len() as u64 - 16);
}

#[tokio::test]
async fn only_the_side_that_a_rule_wants_is_recorded() {
    let world = world(upstream::echo().await);
    text(ask(&world, post("/asked/x", "said".to_owned())).await).await;
    let ledger = world.ledger().await;
    let (request, answer) = recording(&world, &closed(&ledger));
    assert_eq!(request.unwrap().1, "said");
    assert!(answer.is_none());
}

#[tokio::test]
async fn what_never_left_is_not_recorded() {
    let world = world(upstream::echo().await);
    let response = ask(&world, post("/stopped/x", "by Ada Lovelace".to_owned())).await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    text(response).await;
    let ledger = world.ledger().await;
    assert!(ledger.one("exchange_aborted").get("recording").is_none());
    assert_eq!(std::fs::read_dir(world.recordings()).unwrap().count(), 0);
}

#[tokio::test]
async fn what_cannot_be_recorded_does_not_go() {
    let world = world(upstream::echo().await);
    std::fs::write(world.recordings(), "in the way").unwrap();
    let response = ask(&world, post("/kept/x", "said".to_owned())).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    text(response).await;
    let ledger = world.ledger().await;
    assert_eq!(
        ledger.one("exchange_denied")["cause"],
        "recording_unavailable"
    );
    assert!(ledger.all("exchange_granted").is_empty());
}

/// The folder goes away under an exchange: its head can no longer be put there.
#[tokio::test]
async fn a_recording_that_fails_ends_its_exchange() {
    let (upstream, mut script) = upstream::scripted("text/plain").await;
    let world = world(upstream);
    let response = ask(&world, post("/kept/x", "said".to_owned())).await;
    assert_eq!(response.status(), StatusCode::OK);
    std::fs::remove_dir_all(world.recordings()).unwrap();
    script.say("done").await;
    script.finish().await;
    // All of it has passed by then, so only the ledger can say it.
    text(response).await;
    let ledger = world.ledger().await;
    let aborted = ledger.one("exchange_aborted");
    assert_eq!(aborted["cause"], "recording_failed", "{aborted}");
    assert!(aborted.get("recording").is_none());
    assert!(ledger.all("exchange_closed").is_empty());
}

#[tokio::test]
async fn what_streams_is_recorded_as_the_agent_got_it() {
    for (path, expected) in [("/kept/x", "by Ada Lovelace."), ("/masked/x", "by [NAME].")] {
        let (upstream, mut script) = upstream::scripted("text/event-stream").await;
        let world = world(upstream);
        let response = ask(&world, post(path, json!({}).to_string())).await;
        script.say("data: nothing yet\n\n").await;
        script.say("data: by Ada Lovelace.\n\n").await;
        script.finish().await;
        let seen = text(response).await;
        assert!(seen.contains(expected), "{path}: {seen}");
        let ledger = world.ledger().await;
        let (_, answer) = recording(&world, &closed(&ledger));
        assert_eq!(answer.unwrap().1, seen, "{path}");
    }
}

/// What both sides of a socket said, as it is read back.
fn said(world: &World, line: &Value) -> Vec<(Way, Option<String>)> {
    let id = line["exchange"].as_str().unwrap();
    let found = read_recording(&world.recordings(), id).unwrap().unwrap();
    let said = found.said().unwrap();
    assert!(said.iter().map(|said| said.seq).eq(1..=said.len() as u64));
    said.into_iter().map(|said| (said.way, said.text)).collect()
}

#[tokio::test]
async fn messages_of_both_sides_are_recorded_in_their_order_as_they_passed() {
    for (path, passed) in [
        ("/kept/socket", "by Ada Lovelace"),
        ("/masked/socket", "by [NAME]"),
    ] {
        let answers = |text: &str| vec![format!("1 {text}"), format!("2 {text}")];
        let world = world(upstream::messages(answers).await);
        let mut socket = open_at(&world, path, "x-secret: of-the-agent\r\n").await;
        let mut expected = Vec::new();
        for round in ["first", "second"] {
            let own = format!("{round} {passed}");
            let sent = format!("{round} by Ada Lovelace");
            socket.send(Spoken::text(sent)).await.unwrap();
            expected.push((Way::Request, Some(own.clone())));
            for number in [1, 2] {
                let heard = socket.next().await.unwrap().unwrap();
                assert_eq!(heard.to_text().unwrap(), format!("{number} {own}"));
                expected.push((Way::Answer, Some(format!("{number} {own}"))));
            }
        }
        socket.close(None).await.unwrap();
        while socket.next().await.is_some() {}
        drop(socket);
        let line = closed(&world.ledger().await);
        assert_eq!(said(&world, &line), expected, "{path}");
        let (request, answer) = recording(&world, &line);
        assert_eq!(request.unwrap().0.messages, Some(2));
        let (head, _) = answer.unwrap();
        assert_eq!((head.status, head.messages), (Some(101), Some(4)));
    }
}

#[tokio::test]
async fn bytes_on_a_socket_that_is_only_recorded_pass_and_are_kept() {
    let world = world(upstream::messages(|text| vec![text.to_owned()]).await);
    let mut socket = open_at(&world, "/kept/socket", "").await;
    socket.send(Spoken::binary(vec![1, 2, 3])).await.unwrap();
    socket.send(Spoken::text("after")).await.unwrap();
    let heard = socket.next().await.unwrap().unwrap();
    assert_eq!(heard.to_text().unwrap(), "after");
    socket.close(None).await.unwrap();
    while socket.next().await.is_some() {}
    drop(socket);
    let line = closed(&world.ledger().await);
    let text = Some("after".to_owned());
    let expected = [
        (Way::Request, None),
        (Way::Request, text.clone()),
        (Way::Answer, text),
    ];
    assert_eq!(said(&world, &line), expected);
}

#[tokio::test]
async fn recordings_of_sockets_are_cut_at_their_limit_and_sockets_are_not() {
    let world = world(upstream::messages(|text| vec![text.to_owned()]).await);
    let mut socket = open_at(&world, "/short/socket", "").await;
    for text in ["0123456789", "more", "and more"] {
        socket.send(Spoken::text(text)).await.unwrap();
        assert_eq!(
            socket.next().await.unwrap().unwrap().to_text().unwrap(),
            text
        );
    }
    socket.close(None).await.unwrap();
    while socket.next().await.is_some() {}
    drop(socket);
    let line = closed(&world.ledger().await);
    assert_eq!(said(&world, &line), []);
    let (head, kept) = recording(&world, &line).0.unwrap();
    assert_eq!((kept.len(), head.messages), (16, Some(3)));
    assert!(head.body.cut > 0);
}

#[tokio::test]
async fn a_message_that_a_mask_blocks_is_not_recorded() {
    let world = world(upstream::messages(|text| vec![text.to_owned()]).await);
    let mut socket = open_at(&world, "/stopped/socket", "").await;
    socket.send(Spoken::text("hello")).await.unwrap();
    assert_eq!(
        socket.next().await.unwrap().unwrap().to_text().unwrap(),
        "hello"
    );
    socket.send(Spoken::text("by Ada Lovelace")).await.unwrap();
    while let Some(Ok(_)) = socket.next().await {}
    drop(socket);
    let line = world.ledger().await.one("exchange_aborted");
    let hello = Some("hello".to_owned());
    assert_eq!(
        said(&world, &line),
        [(Way::Request, hello.clone()), (Way::Answer, hello)]
    );
}

#[tokio::test]
async fn a_socket_that_cannot_be_recorded_does_not_open() {
    let world = world(upstream::messages(|text| vec![text.to_owned()]).await);
    std::fs::write(world.recordings(), "in the way").unwrap();
    let (head, raw) = shake(&world, "/kept/socket", "").await;
    assert!(head.starts_with("HTTP/1.1 503 "), "{head}");
    drop(raw);
    let ledger = world.ledger().await;
    let denied = ledger.one("exchange_denied");
    assert_eq!(denied["cause"], "recording_unavailable");
    assert!(ledger.all("exchange_granted").is_empty());
}

#[tokio::test]
async fn only_what_is_known_to_be_harmless_is_recorded_of_heads() {
    let world = world(upstream::echo().await);
    let path = "/kept/x?page=2&API_Key=AIza-secret&%6bey=other-secret&empty_key=";
    let mut request = post(path, "said".to_owned());
    for (name, value) in [
        ("x-team-token", "team-secret"),
        ("x-unheard-of", "odd-secret"),
        ("user-agent", "agent/1"),
        ("x-stainless-os", "Linux"),
    ] {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    let response = ask(&world, request).await;
    assert_eq!(response.status(), StatusCode::OK);
    text(response).await;
    let ledger = world.ledger().await;
    let (request, _) = recording(&world, &closed(&ledger));
    let (head, _) = request.unwrap();
    assert_eq!(header(&head, "user-agent"), ["agent/1"]);
    assert_eq!(header(&head, "x-stainless-os"), ["Linux"]);
    for name in ["x-team-token", "x-unheard-of"] {
        let shown = header(&head, name);
        assert!(Fingerprint::is_written(shown[0]), "{shown:?}");
    }
    let target = head.target.as_deref().unwrap();
    assert!(
        target.starts_with("/kept/x?page=2&API_Key=parameter:hmac-sha256:"),
        "{target}"
    );
    assert!(target.ends_with("&empty_key="), "{target}");
    let all = serde_json::to_string(&json!([head.headers, target])).unwrap();
    assert!(!all.contains("secret"), "{all}");
}

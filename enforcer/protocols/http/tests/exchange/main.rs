//! Whole exchanges over an in-memory agent connection, a real gate and an upstream on loopback.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should say where"
)]

mod early;
mod held;
mod judged;
mod masked;
mod recorded;
mod socket;
mod spilled;
mod upstream;
mod world;

use std::time::Duration;

use bytes::Bytes;
use enforcer_flow::Protocol;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use world::World;

async fn body(response: http::Response<hyper::body::Incoming>) -> Bytes {
    response.into_body().collect().await.unwrap().to_bytes()
}

#[tokio::test]
async fn a_granted_request_is_answered_and_both_endings_are_recorded() {
    let world = World::new(upstream::echo().await);
    let mut agent = world.agent(Protocol::Http, "api.example").await;
    let request = Request::post("/v1/chat?secret=1")
        .header("host", "api.example:8080")
        .header("authorization", "Bearer sk-very-secret")
        .header("connection", "x-hop")
        .header("x-hop", "1")
        .body(Full::from("hello"))
        .unwrap();
    let response = agent.send(request).await;
    assert_eq!(response.status(), StatusCode::OK);
    let seen = String::from_utf8(body(response).await.to_vec()).unwrap();
    assert!(
        seen.starts_with("POST /v1/chat?secret=1 HTTP/1.1\r\n"),
        "{seen}"
    );
    assert!(
        seen.contains("authorization: Bearer sk-very-secret\r\n"),
        "{seen}"
    );
    assert!(!seen.contains("x-hop"), "{seen}");
    assert!(seen.ends_with("hello"), "{seen}");
    drop(agent);
    let ledger = world.ledger().await;
    assert!(!ledger.text.contains("sk-very-secret"), "{}", ledger.text);
    assert!(!ledger.text.contains("secret=1"), "{}", ledger.text);
    let granted = ledger.one("exchange_granted");
    assert_eq!(granted["query_bytes"], 8);
    assert!(
        granted["credentials"][0]
            .as_str()
            .unwrap()
            .starts_with("authorization:hmac-sha256:")
    );
    let closed = ledger.one("exchange_closed");
    assert_eq!(
        (&closed["status"], &closed["bytes_up"]),
        (&200.into(), &5.into())
    );
    assert_eq!(ledger.one("flow_closed")["bytes_up"], 5);
}

#[tokio::test]
async fn a_refusal_has_the_shape_that_an_sdk_understands() {
    let world = World::new(upstream::echo().await);
    let mut agent = world.agent(Protocol::Http, "api.example").await;
    let request = Request::delete("/v1/files/1")
        .header("host", "api.example:8080")
        .body(Full::from("x".repeat(300_000)))
        .unwrap();
    let response = agent.send(request).await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert_eq!(response.headers()["content-type"], "application/json");
    assert_eq!(response.headers()["x-should-retry"], "false");
    let exchange = response.headers()["x-enforcer-exchange"]
        .to_str()
        .unwrap()
        .to_owned();
    let error = serde_json::from_slice::<Value>(&body(response).await).unwrap()["error"].take();
    assert_eq!(error["type"], "policy_violation");
    assert_eq!(error["code"], "enforcer_denied");
    assert!(error.as_object().unwrap().contains_key("param") && error["param"].is_null());
    let message = error["message"].as_str().unwrap();
    assert!(
        message.contains(&exchange) && message.contains("test/no-files"),
        "{message}"
    );
    // The connection is still good: a refusal is an answer.
    let request = Request::get("/v1/models").header("host", "api.example:8080");
    let response = agent.send(request.body(Full::default()).unwrap()).await;
    assert_eq!(response.status(), StatusCode::OK);
    drop((response, agent));
    let ledger = world.ledger().await;
    assert_eq!(ledger.one("exchange_denied")["exchange"], exchange.as_str());
    assert_eq!(ledger.one("exchange_denied")["rule"], "test/no-files");
}

#[tokio::test]
async fn server_name_and_authority_must_agree() {
    let world = World::new(upstream::echo().await);
    for (host, cause) in [
        ("other.example:8080", "authority_mismatch"),
        ("api.example:9", "port_mismatch"),
        ("api.example@other.example", "authority_mismatch"),
    ] {
        let mut agent = world.agent(Protocol::Http, "api.example").await;
        let request = Request::get("/v1/models").header("host", host);
        let response = agent.send(request.body(Full::default()).unwrap()).await;
        assert_eq!(response.status(), StatusCode::FORBIDDEN, "{host}");
        drop((response, agent));
        let ledger = world.ledger().await;
        assert_eq!(ledger.last("exchange_denied")["cause"], cause, "{host}");
        assert!(ledger.all("exchange_granted").is_empty());
    }
}

#[tokio::test]
async fn events_pass_the_moment_they_arrive() {
    let (upstream, mut events) = upstream::scripted("text/event-stream").await;
    let world = World::new(upstream);
    let mut agent = world.agent(Protocol::Http, "api.example").await;
    let request = Request::get("/v1/stream").header("host", "api.example:8080");
    let response = agent.send(request.body(Full::default()).unwrap()).await;
    let mut stream = response.into_body();
    for event in ["data: 1\n\n", "data: 2\n\n", "data: [DONE]\n\n"] {
        // Each is sent only after the one before has arrived: a buffering proxy would never finish this.
        events.say(event).await;
        let frame = stream.frame().await.unwrap().unwrap();
        assert_eq!(frame.into_data().unwrap(), event);
    }
    events.finish().await;
    assert!(stream.frame().await.is_none());
    drop((stream, agent));
    assert_eq!(
        world.ledger().await.one("exchange_closed")["bytes_down"],
        32
    );
}

#[tokio::test]
async fn an_answer_cut_short_is_cut_short_for_the_agent_and_recorded() {
    let (upstream, mut events) = upstream::scripted("text/event-stream").await;
    let world = World::new(upstream);
    let mut agent = world.agent(Protocol::Http, "api.example").await;
    let request = Request::get("/v1/stream").header("host", "api.example:8080");
    let response = agent.send(request.body(Full::default()).unwrap()).await;
    let mut stream = response.into_body();
    events.say("data: 1\n\n").await;
    assert!(stream.frame().await.unwrap().is_ok());
    drop(events);
    assert!(stream.frame().await.unwrap().is_err());
    drop((stream, agent));
    let aborted = world.ledger().await.one("exchange_aborted");
    assert_eq!(aborted["side"], "upstream");
}

#[tokio::test]
async fn an_agent_that_goes_away_ends_the_exchange() {
    let (upstream, mut events) = upstream::scripted("text/event-stream").await;
    let world = World::new(upstream);
    let mut agent = world.agent(Protocol::Http, "api.example").await;
    let request = Request::get("/v1/stream").header("host", "api.example:8080");
    let response = agent.send(request.body(Full::default()).unwrap()).await;
    events.say("data: 1\n\n").await;
    drop((response, agent));
    // The upstream learns it too.
    assert!(events.closed().await);
    let aborted = world.ledger().await.one("exchange_aborted");
    assert_eq!(
        (&aborted["side"], &aborted["cause"]),
        (&"agent".into(), &"agent_gone".into())
    );
}

#[tokio::test]
async fn connections_are_reused_across_agent_connections() {
    let upstream = upstream::echo().await;
    let accepted = upstream.accepted.clone();
    let world = World::new(upstream);
    for _ in 0..3 {
        let mut agent = world.agent(Protocol::Http, "api.example").await;
        for _ in 0..2 {
            let request = Request::get("/v1/models").header("host", "api.example:8080");
            let response = agent.send(request.body(Full::default()).unwrap()).await;
            assert_eq!(response.status(), StatusCode::OK);
            body(response).await;
        }
    }
    assert_eq!(accepted.load(std::sync::atomic::Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_connection_that_the_upstream_closed_is_not_used() {
    let upstream = upstream::closing_after_each().await;
    let accepted = upstream.accepted.clone();
    let world = World::new(upstream);
    let mut agent = world.agent(Protocol::Http, "api.example").await;
    for _ in 0..5 {
        let request = Request::get("/v1/models").header("host", "api.example:8080");
        let response = agent.send(request.body(Full::default()).unwrap()).await;
        assert_eq!(response.status(), StatusCode::OK);
        body(response).await;
        // Let the far side's end arrive.
        tokio::task::yield_now().await;
    }
    assert_eq!(accepted.load(std::sync::atomic::Ordering::SeqCst), 5);
}

#[tokio::test]
async fn an_unreachable_upstream_is_a_bad_gateway() {
    let world = World::new(upstream::nobody().await);
    let mut agent = world.agent(Protocol::Http, "api.example").await;
    let request = Request::get("/v1/models").header("host", "api.example:8080");
    let response = agent.send(request.body(Full::default()).unwrap()).await;
    assert_eq!(response.status(), StatusCode::BAD_GATEWAY);
    drop((response, agent));
    let aborted = world.ledger().await.one("exchange_aborted");
    assert_eq!(
        (&aborted["side"], &aborted["cause"]),
        (&"upstream".into(), &"connect_failed".into())
    );
}

#[tokio::test]
async fn trailers_and_unsized_bodies_pass() {
    let world = World::new(upstream::echo().await);
    let mut agent = world.agent(Protocol::Http, "api.example").await;
    let mut trailers = http::HeaderMap::new();
    trailers.insert("x-sum", "42".parse().unwrap());
    let frames = vec![
        Ok::<_, std::convert::Infallible>(Frame::data(Bytes::from("part one, "))),
        Ok(Frame::data(Bytes::from("part two"))),
        Ok(Frame::trailers(trailers)),
    ];
    let request = Request::post("/v1/chat")
        .header("host", "api.example:8080")
        .header("te", "trailers")
        .header("trailer", "x-sum")
        .body(StreamBody::new(futures_util::stream::iter(frames)))
        .unwrap();
    let response = agent.send(request).await;
    let collected = response.into_body().collect().await.unwrap();
    assert_eq!(collected.trailers().unwrap()["x-echo"], "trailing");
    let seen = String::from_utf8(collected.to_bytes().to_vec()).unwrap();
    assert!(seen.contains("te: trailers\r\n"), "{seen}");
    assert!(
        seen.contains("part one, ") && seen.contains("part two"),
        "{seen}"
    );
    assert!(seen.contains("x-sum: 42"), "{seen}");
}

#[tokio::test]
async fn http2_agents_are_served_over_http1_upstreams() {
    let world = World::new(upstream::echo().await);
    let mut agent = world.agent_http2(Protocol::Http, "api.example").await;
    let request = Request::post("http://api.example:8080/v1/chat")
        .header("cookie", "a=1")
        .header("cookie", "b=2")
        .body(Full::from("hello"))
        .unwrap();
    let response = agent.send_request(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let seen = String::from_utf8(body(response).await.to_vec()).unwrap();
    assert!(seen.contains("host: api.example:8080\r\n"), "{seen}");
    assert!(seen.contains("cookie: a=1; b=2\r\n"), "{seen}");
    let request = Request::get("http://other.example:8080/v1/models");
    let refused = agent
        .send_request(request.body(Full::default()).unwrap())
        .await
        .unwrap();
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_body_is_asked_for_only_when_it_is_granted() {
    let world = World::new(upstream::echo().await);
    let mut raw = world.raw(Protocol::Http, "api.example").await;
    let head = |path| {
        format!(
            "POST {path} HTTP/1.1\r\nhost: api.example:8080\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n"
        )
    };
    raw.write_all(head("/v1/chat").as_bytes()).await.unwrap();
    let mut buffer = [0; 1024];
    let read = raw.read(&mut buffer).await.unwrap();
    assert_eq!(&buffer[..read], b"HTTP/1.1 100 Continue\r\n\r\n");
    raw.write_all(b"hello").await.unwrap();
    let read = raw.read(&mut buffer).await.unwrap();
    assert!(buffer[..read].starts_with(b"HTTP/1.1 200 OK\r\n"));
    let mut raw = world.raw(Protocol::Http, "api.example").await;
    raw.write_all(head("/v1/files").as_bytes()).await.unwrap();
    let read = raw.read(&mut buffer).await.unwrap();
    assert!(buffer[..read].starts_with(b"HTTP/1.1 403 Forbidden\r\n"));
}

#[tokio::test]
async fn a_websocket_becomes_a_stream_in_both_directions() {
    let world = World::new(upstream::websocket().await);
    let mut raw = world.raw(Protocol::Http, "api.example").await;
    let head = "GET /v1/realtime HTTP/1.1\r\nhost: api.example:8080\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    raw.write_all(head.as_bytes()).await.unwrap();
    let mut buffer = [0; 1024];
    let read = raw.read(&mut buffer).await.unwrap();
    let answer = String::from_utf8_lossy(&buffer[..read]).into_owned();
    assert!(
        answer.starts_with("HTTP/1.1 101 Switching Protocols\r\n"),
        "{answer}"
    );
    assert!(
        answer
            .to_ascii_lowercase()
            .contains("upgrade: websocket\r\n"),
        "{answer}"
    );
    for message in ["ping", "and again"] {
        raw.write_all(message.as_bytes()).await.unwrap();
        let read = raw.read(&mut buffer).await.unwrap();
        assert_eq!(&buffer[..read], message.as_bytes());
    }
    drop(raw);
    let ledger = world.ledger().await;
    let closed = ledger.one("exchange_closed");
    assert_eq!(
        (&closed["status"], &closed["bytes_up"]),
        (&101.into(), &13.into())
    );
}

#[tokio::test]
async fn other_upgrades_are_answered_as_http() {
    let world = World::new(upstream::echo().await);
    let mut agent = world.agent(Protocol::Http, "api.example").await;
    let request = Request::get("/v1/models")
        .header("host", "api.example:8080")
        .header("connection", "upgrade, http2-settings")
        .header("upgrade", "h2c")
        .header("http2-settings", "AAMAAABkAAQAAP__");
    let response = agent.send(request.body(Full::default()).unwrap()).await;
    assert_eq!(response.status(), StatusCode::OK);
    let seen = String::from_utf8(body(response).await.to_vec()).unwrap();
    assert!(
        !seen.contains("h2c") && !seen.contains("http2-settings"),
        "{seen}"
    );
}

#[tokio::test]
async fn nested_proxying_is_refused() {
    let world = World::new(upstream::echo().await);
    let mut raw = world.raw(Protocol::Http, "api.example").await;
    raw.write_all(b"CONNECT api.example:443 HTTP/1.1\r\nhost: api.example:443\r\n\r\n")
        .await
        .unwrap();
    let mut buffer = [0; 1024];
    let read = raw.read(&mut buffer).await.unwrap();
    assert!(buffer[..read].starts_with(b"HTTP/1.1 403 Forbidden\r\n"));
    drop(raw);
    assert_eq!(
        world.ledger().await.one("exchange_denied")["cause"],
        "nested_proxy"
    );
}

#[tokio::test]
async fn an_oversized_head_is_refused_and_recorded() {
    let world = World::new(upstream::echo().await);
    let mut raw = world.raw(Protocol::Http, "api.example").await;
    let head = format!(
        "GET /v1/models HTTP/1.1\r\nhost: api.example:8080\r\nx-large: {}\r\n\r\n",
        "a".repeat(80_000)
    );
    // The answer may come before all of it is written.
    let _ = raw.write_all(head.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = raw.read_to_end(&mut answer).await;
    assert!(
        answer.starts_with(b"HTTP/1.1 431 "),
        "{}",
        String::from_utf8_lossy(&answer)
    );
    let aborted = world.ledger().await.one("flow_aborted");
    assert_eq!(
        (&aborted["side"], &aborted["cause"]),
        (&"agent".into(), &"header_too_large".into())
    );
}

#[tokio::test(start_paused = true)]
async fn a_half_sent_request_ends_in_time() {
    let world = World::new(upstream::nobody().await);
    let mut raw = world.raw(Protocol::Http, "api.example").await;
    raw.write_all(b"GET /v1/models HTT").await.unwrap();
    let mut answer = Vec::new();
    tokio::time::timeout(Duration::from_secs(120), raw.read_to_end(&mut answer))
        .await
        .unwrap()
        .unwrap();
    let aborted = world.ledger().await.one("flow_aborted");
    assert_eq!(aborted["cause"], "header_timeout");
}

#[tokio::test]
async fn a_body_that_stalls_ends_in_time() {
    let world = World::with_idle_timeout(upstream::echo().await, Duration::from_millis(50));
    let mut raw = world.raw(Protocol::Http, "api.example").await;
    raw.write_all(
        b"POST /v1/chat HTTP/1.1\r\nhost: api.example:8080\r\ncontent-length: 10\r\n\r\nhalf",
    )
    .await
    .unwrap();
    let mut answer = Vec::new();
    raw.read_to_end(&mut answer).await.unwrap();
    assert!(
        answer.starts_with(b"HTTP/1.1 400 "),
        "{}",
        String::from_utf8_lossy(&answer)
    );
    let aborted = world.ledger().await.one("exchange_aborted");
    assert_eq!(
        (&aborted["side"], &aborted["cause"], &aborted["bytes_up"]),
        (&"agent".into(), &"stalled".into(), &4.into())
    );
}

#[tokio::test]
async fn garbage_is_refused_and_recorded() {
    let world = World::new(upstream::nobody().await);
    let mut raw = world.raw(Protocol::Http, "api.example").await;
    raw.write_all(b"GET /\x00 HTTP/1.1\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    raw.read_to_end(&mut answer).await.unwrap();
    assert!(
        answer.starts_with(b"HTTP/1.1 400 "),
        "{}",
        String::from_utf8_lossy(&answer)
    );
    assert_eq!(
        world.ledger().await.one("flow_aborted")["cause"],
        "malformed_http"
    );
}

#[tokio::test]
async fn bodyless_answers_close_their_exchange() {
    let world = World::new(upstream::echo().await);
    let mut agent = world.agent(Protocol::Http, "api.example").await;
    let request = Request::head("/v1/models").header("host", "api.example:8080");
    let response = agent.send(request.body(Full::default()).unwrap()).await;
    assert_eq!(response.status(), StatusCode::OK);
    let none = Request::get("/v1/none").header("host", "api.example:8080");
    let response = agent.send(none.body(Full::default()).unwrap()).await;
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    drop((response, agent));
    assert_eq!(world.ledger().await.all("exchange_closed").len(), 2);
}

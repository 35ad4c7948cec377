//! Exchanges whose bodies must be here whole and are too long to wait in memory.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use enforcer_credentials::{Secrets, Source};
use enforcer_flow::{CgroupId, Protocol};
use enforcer_gate::Quota;
use enforcer_http::{Judging, Spilling};
use enforcer_spill::Spill;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{Request, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::judged::{ask, post, text};
use crate::upstream::{self, Running};
use crate::world::World;

const POLICY: &str = r#"
version: 1
name: test
detectors:
  name: { words: [Ada Lovelace] }
rules:
  - { id: models, effect: allow, match: { host: api.example, port: 8080, protocol: http, path: /v1/embeddings, model: gpt-5 } }
  - { id: no-salaries, effect: deny, match: { host: api.example, path: /v1/embeddings, messages: { contains: [salary] } } }
  - { id: masked, effect: allow, match: { host: api.example, port: 8080, protocol: http, path: /masked }, mask: name }
  - { id: both, effect: allow, match: { host: api.example, port: 8080, protocol: http, path: /v1/completions, model: gpt-5 }, mask: name }
  - { id: signed, effect: allow, match: { host: api.example, port: 8080, protocol: http, path: /signed }, sign: { style: github, secret: key } }
  - { id: chat, effect: allow, match: { host: api.example, port: 8080, protocol: http, path: /v1/chat/completions }, mask: { detect: [name], direction: answer } }
  - { id: no-words, effect: deny, match: { host: api.example, path: /v1/chat/completions, answer: { text: { contains: [forbidden word] } } } }
"#;

/// With what waits there counted; bodies above `above` bytes wait in `folder`.
async fn world(folder: &Path, above: usize) -> (World, Arc<Spilling>) {
    world_of(upstream::echo().await, folder, above)
}

fn world_of(upstream: Running, folder: &Path, above: usize) -> (World, Arc<Spilling>) {
    let spilling = Arc::new(Spilling {
        place: Spill::new(folder),
        above,
        disk: Quota::new(8 << 20, 8 << 20),
        files: Quota::new(8, 8),
    });
    let key = Source::Environment("KEY".to_owned());
    let secrets = Secrets::load([("key", &key)], |_| Some("k3y".into()));
    let judging = Judging {
        secrets: secrets.unwrap(),
        body_bytes: 2 << 20,
        spilling: Some(Arc::clone(&spilling)),
        ..Judging::without_secrets(64 << 20)
    };
    let parts = (POLICY, judging);
    let world = World::judging(upstream, Duration::from_secs(30), parts);
    (world, spilling)
}

fn long(said: &str) -> String {
    let filler = "nothing to see here. ".repeat(20_000);
    json!({ "model": "gpt-5", "input": format!("{filler}{said}{filler}"), "prompt": said })
        .to_string()
}

fn coded(path: &str, body: &str) -> Request<Full<Bytes>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::none());
    encoder.write_all(body.as_bytes()).unwrap();
    let mut request = post(path, encoder.finish().unwrap());
    let gzip = "gzip".parse().unwrap();
    request.headers_mut().insert("content-encoding", gzip);
    request
}

/// How many files there have been, none of which is there any more.
fn files(spilling: &Spilling) -> u64 {
    assert_eq!((spilling.disk.all(), spilling.files.all()), (0, 0));
    // The only workload there is.
    spilling.files.of(CgroupId(7)).total
}

#[tokio::test]
async fn a_long_body_waits_on_disk_and_is_judged_masked_and_signed_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let (world, spilling) = world(folder.path(), 64 << 10).await;
    let arrived = async |request| {
        let response = ask(&world, request).await;
        assert_eq!(response.status(), StatusCode::OK);
        let seen = text(response).await;
        let (head, body) = seen.split_once("\r\n\r\n").unwrap();
        let length = format!("content-length: {}", body.len());
        assert!(head.contains(&length), "{head}");
        (head.to_owned(), body.to_owned())
    };
    let (body, masked) = (long("by Ada Lovelace."), long("by [NAME]."));
    let (_, seen) = arrived(post("/v1/embeddings", body.clone())).await;
    assert!(seen == body && files(&spilling) == 1);
    let (_, seen) = arrived(coded("/masked", &body)).await;
    assert!(seen == masked && files(&spilling) == 3);
    let (_, seen) = arrived(post("/v1/completions", body.clone())).await;
    assert!(seen == masked && files(&spilling) == 5);
    let (head, seen) = arrived(post("/signed", body.clone())).await;
    assert!(seen == body && files(&spilling) == 6);
    let signature = |head: &str| {
        let mut lines = head.lines();
        let line = lines.find(|line| line.starts_with("x-hub-signature-256: "));
        line.unwrap().to_owned()
    };
    let (unspilled, none) = self::world(folder.path(), 8 << 20).await;
    let seen = text(ask(&unspilled, post("/signed", body)).await).await;
    assert!(signature(&head) == signature(&seen) && files(&none) == 0);
    let denied = ask(&world, post("/v1/embeddings", long("my salary"))).await;
    assert_eq!(denied.status(), StatusCode::FORBIDDEN);
    drop(denied);
    world.ledger().await;
    assert_eq!(files(&spilling), 7);
}

#[tokio::test]
async fn what_cannot_wait_on_disk_is_refused_and_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let taken = folder.path().join("taken");
    std::fs::write(&taken, "").unwrap();
    let (world, spilling) = world(&taken, 64 << 10).await;
    let refused = async |request| {
        let response = ask(&world, request).await;
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        text(response).await
    };
    let told = refused(post("/v1/embeddings", long("hello"))).await;
    assert!(told.contains("cannot be kept until it is judged"), "{told}");
    refused(coded("/masked", &long("hello"))).await;
    assert_eq!(spilling.files.all(), 0);
    let short = json!({ "model": "gpt-5", "input": "hello" }).to_string();
    let response = ask(&world, post("/v1/embeddings", short)).await;
    assert_eq!(response.status(), StatusCode::OK);
    drop(response);
    let ledger = world.ledger().await;
    assert_eq!(ledger.one("exchange_denied")["cause"], "spill_failed");
    assert_eq!(ledger.last("exchange_aborted")["cause"], "spill_failed");
}

/// An answer of a model, with so many bytes of filler around what it says.
fn answer(said: &str, filler: usize) -> &'static str {
    let filler = "nothing to see here. ".repeat(filler / 21);
    let text = format!("{filler}{said} {filler}");
    let choice = json!({"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"});
    let answer =
        json!({"id": "c", "object": "chat.completion", "model": "gpt-5", "choices": [choice]});
    answer.to_string().leak()
}

fn question() -> Request<Full<Bytes>> {
    let messages = json!([{"role": "user", "content": "hello"}]);
    let body = json!({"model": "gpt-5", "messages": messages}).to_string();
    post("/v1/chat/completions", body)
}

const JSON: &str = "200 OK\r\ncontent-type: application/json";

#[tokio::test]
async fn a_long_answer_waits_on_disk_and_is_judged_and_masked_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    for (filler, waited) in [(1000, 0), (400_000, 2)] {
        let upstream = upstream::fixed(JSON, answer("by Ada Lovelace.", filler)).await;
        let (world, spilling) = world_of(upstream, folder.path(), 64 << 10);
        let response = ask(&world, question()).await;
        assert_eq!(response.status(), StatusCode::OK);
        let length = response.headers()["content-length"].clone();
        let told = text(response).await;
        assert_eq!(length, told.len().to_string());
        let told: Value = serde_json::from_str(&told).unwrap();
        let expected: Value = serde_json::from_str(answer("by [NAME].", filler)).unwrap();
        assert!(told == expected);
        let ledger = world.ledger().await;
        ledger.one("exchange_closed");
        assert_eq!(files(&spilling), waited);
        // A rule still has the last word.
        let upstream = upstream::fixed(JSON, answer("a forbidden word", filler)).await;
        let (world, spilling) = world_of(upstream, folder.path(), 64 << 10);
        let response = ask(&world, question()).await;
        assert_eq!(response.status(), StatusCode::FORBIDDEN);
        drop(response);
        let ledger = world.ledger().await;
        assert_eq!(ledger.one("answer_blocked")["rule"], "test/no-words");
        assert_eq!(files(&spilling), waited / 2);
    }
    assert!(folder.path().read_dir().unwrap().next().is_none());
}

#[tokio::test]
async fn a_long_answer_that_cannot_wait_is_refused_and_nothing_of_it_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let taken = folder.path().join("taken");
    std::fs::write(&taken, "").unwrap();
    for (place, filler, status, cause) in [
        // Longer than rules read, and than its head says nothing of.
        (
            folder.path(),
            2 << 20,
            StatusCode::FORBIDDEN,
            "body_too_large",
        ),
        (
            &*taken,
            400_000,
            StatusCode::SERVICE_UNAVAILABLE,
            "spill_failed",
        ),
    ] {
        let upstream = upstream::fixed(JSON, answer("by Ada Lovelace.", filler)).await;
        let (world, spilling) = world_of(upstream, place, 64 << 10);
        let response = ask(&world, question()).await;
        assert_eq!(response.status(), status, "{cause}");
        let told = text(response).await;
        assert!(
            !told.contains("Ada") && !told.contains("nothing to see"),
            "{told}"
        );
        let ledger = world.ledger().await;
        assert_eq!(ledger.one("exchange_aborted")["cause"], cause);
        files(&spilling);
    }
}

#[tokio::test]
async fn an_answer_that_waits_on_disk_goes_with_the_agent_that_does_not_take_it() {
    let folder = tempfile::tempdir().unwrap();
    let upstream = upstream::fixed(JSON, answer("by Ada Lovelace.", 800_000)).await;
    let (world, spilling) = world_of(upstream, folder.path(), 64 << 10);
    let mut agent = world.raw(Protocol::Http, "api.example").await;
    let body = question().into_body();
    let body = http_body_util::BodyExt::collect(body)
        .await
        .unwrap()
        .to_bytes();
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: api.example:8080\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    agent.write_all(head.as_bytes()).await.unwrap();
    agent.write_all(&body).await.unwrap();
    let mut start = [0; 12];
    agent.read_exact(&mut start).await.unwrap();
    assert_eq!(&start, b"HTTP/1.1 200");
    // All of it is here, and most of it waits for an agent that reads no further.
    assert_eq!(spilling.files.all(), 1);
    assert!(spilling.disk.all() > 1 << 20);
    drop(agent);
    let ledger = world.ledger().await;
    ledger.one("exchange_aborted");
    assert_eq!(files(&spilling), 2);
}

//! Exchanges whose bodies and answers rules read.

use std::time::Duration;

use bytes::Bytes;
use enforcer_credentials::{Hooks, Registered, Secrets, Source};
use enforcer_flow::{Host, Protocol};
use enforcer_http::Judging;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::upstream::{self, Running};
use crate::world::World;

pub(crate) const POLICY: &str = r#"
version: 1
name: test
rules:
  - id: models
    effect: allow
    match:
      host: api.example
      port: 8080
      protocol: [http, https]
      path: [/v1/chat/completions, /v1/responses, /v1/realtime, /v1/embeddings]
      model: [gpt-5, gpt-5-mini]
  - id: plain
    effect: allow
    match: { host: api.example, port: 8080, protocol: [http, https], path: /v1/plain/** }
  - id: mcp
    effect: allow
    match:
      host: api.example
      port: 8080
      protocol: http
      path: /mcp
      mcp: { tool: [search, read_*] }
  - id: mcp-talk
    effect: allow
    match:
      host: api.example
      port: 8080
      protocol: http
      path: /mcp
      mcp: { method: [initialize, tools/list] }
  - id: no-salaries
    effect: deny
    reason: salaries stay here
    match: { host: api.example, path: [/v1/chat/completions, /v1/realtime, /v1/plain/text], messages: { contains: [salary] } }
  - id: no-shell
    effect: deny
    action: strip
    reason: nobody runs commands here
    match: { host: api.example, answer: { tool_call: shell } }
  - id: no-transfers
    effect: deny
    reason: money stays here
    match: { host: api.example, answer: { tool_call: transfer } }
  - id: few-rows
    effect: deny
    reason: too many rows
    match: { host: api.example, path: /v1/plain/rows, answer: { rows: { over: 3 } } }
  - id: small-answers
    effect: deny
    match: { host: api.example, path: /v1/plain/large, answer: { size: { over: 10B } } }
  - id: approve
    effect: require_approval
    reason: a person must see this
    match: { host: api.example, path: /v1/plain/approve }
  - id: end
    effect: terminate
    reason: nobody asks for this
    match: { host: api.example, path: /v1/plain/end }
  - id: few
    effect: allow
    match: { host: api.example, port: 8080, protocol: http, path: /v1/few }
    limit: { requests: 2, per: 1h }
  - id: frugal
    effect: allow
    match: { host: api.example, port: 8080, protocol: http, path: [/v1/chat/completions, /v1/realtime], model: gpt-5-mini }
    limit: { tokens: 150, per: 1h }
  - id: heard
    effect: deny
    reason: this is not said here
    match: { host: api.example, header: { x-heard: "yes" }, answer: { text: [forbidden words] } }
  - id: batches
    effect: allow
    match: { host: api.example, port: 8080, protocol: http, method: GET, path: ["/v1/files/*/content", /v1/listen] }
  - id: signed
    effect: allow
    match: { host: hooks.slack.com, port: 8080, protocol: http, path: [/alerts, /services/**] }
    sign: { style: standard, secret: key }
    inject: { header: authorization, prefix: "Bearer ", secret: token }
"#;

const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

pub(crate) fn world(upstream: Running) -> World {
    world_of(upstream, judging())
}

fn world_of(upstream: Running, judging: Judging) -> World {
    World::judging(upstream, Duration::from_secs(30), (POLICY, judging))
}

fn judging() -> Judging {
    let variable = |name: &str| Source::Environment(name.to_owned());
    let sources = [
        ("key", variable("KEY")),
        ("token", variable("TOKEN")),
        ("hook", variable("HOOK")),
    ];
    let sources = sources.iter().map(|(name, source)| (*name, source));
    let secrets = Secrets::load(sources, |name| {
        Some(match name {
            "KEY" => KEY.into(),
            "HOOK" => "/services/T0/B0/s3cret".into(),
            _ => "t0ken".into(),
        })
    });
    let secrets = secrets.unwrap();
    let registered = Registered {
        host: Host::parse("hooks.slack.com").unwrap(),
        path: "/alerts".into(),
        secret: "hook".into(),
    };
    Judging {
        hooks: Hooks::new(&[registered], &secrets).unwrap(),
        secrets,
        body_bytes: 4096,
        message_bytes: 64 * 1024,
        ..Judging::without_secrets(1 << 20)
    }
}

pub(crate) fn post(path: &str, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    Request::post(path)
        .header("host", "api.example:8080")
        .header("content-type", "application/json")
        .body(Full::new(body.into()))
        .unwrap()
}

fn chat(model: &str, text: &str) -> String {
    json!({"model": model, "messages": [{"role": "user", "content": text}]}).to_string()
}

pub(crate) async fn ask(world: &World, request: Request<Full<Bytes>>) -> Response<Incoming> {
    let mut agent = world.agent(Protocol::Http, "api.example").await;
    agent.send(request).await
}

pub(crate) async fn text(response: Response<Incoming>) -> String {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn a_body_that_rules_read_is_judged_and_arrives_as_it_was() {
    let world = world(upstream::echo().await);
    let body = json!({"model": "gpt-5", "input": "hello"}).to_string();
    let response = ask(&world, post("/v1/embeddings", body.clone())).await;
    assert_eq!(response.status(), StatusCode::OK);
    let seen = text(response).await;
    assert!(seen.ends_with(&body), "{seen}");
    let length = format!("content-length: {}\r\n", body.len());
    assert!(seen.contains(&length), "{seen}");
    let granted = world.ledger().await.one("exchange_granted");
    let expected = json!({
        "bytes": body.len(), "provider": "openai", "operation": "embeddings", "model": "gpt-5", "messages": 1, "tools": 0,
    });
    assert_eq!(granted["content"], expected);
    assert_eq!(granted["rule"], "test/models");
}

#[tokio::test]
async fn what_a_body_says_is_refused_with_the_rule_and_its_reason() {
    let table = [
        (chat("gpt-4", "hello"), "no_rule", None),
        (
            chat("gpt-5", "my Salary please"),
            "rule",
            Some("test/no-salaries"),
        ),
    ];
    for (body, cause, rule) in table {
        let world = world(upstream::echo().await);
        let response = ask(&world, post("/v1/chat/completions", body.clone())).await;
        assert_eq!(response.status(), StatusCode::FORBIDDEN, "{body}");
        assert_eq!(response.headers()["x-should-retry"], "false");
        let told: Value = serde_json::from_str(&text(response).await).unwrap();
        let ledger = world.ledger().await;
        let denied = ledger.one("exchange_denied");
        assert_eq!(denied["cause"], cause, "{body}");
        assert_eq!(denied["rule"].as_str(), rule);
        assert!(!ledger.text.contains("my Salary"), "{}", ledger.text);
        assert!(ledger.all("exchange_granted").is_empty());
        if rule.is_some() {
            let message = told["error"]["message"].as_str().unwrap();
            assert!(message.contains("salaries stay here"), "{message}");
            assert_eq!(told["error"]["code"], "enforcer_denied");
        }
    }
}

#[tokio::test]
async fn what_can_be_read_in_two_ways_is_refused_with_that_cause() {
    type Row = (
        &'static str,
        String,
        &'static [(&'static str, &'static str)],
        &'static str,
    );
    let table: [Row; 6] = [
        (
            "a key twice",
            r#"{"model":"gpt-5","model":"gpt-4","messages":[]}"#.into(),
            &[],
            "body_duplicate_key",
        ),
        ("no JSON", "{".into(), &[], "body_truncated"),
        (
            "a coding",
            chat("gpt-5", "x"),
            &[("content-encoding", "compress")],
            "body_unknown_encoding",
        ),
        (
            "too long",
            chat("gpt-5", &"x".repeat(5000)),
            &[],
            "body_too_large",
        ),
        (
            "no text",
            "{\"model\":\"gpt-5\",\"messages\":\"\u{1}\"}".into(),
            &[],
            "body_malformed",
        ),
        (
            "another type",
            chat("gpt-5", "x"),
            &[("content-type", "application/x-thing")],
            "no_rule",
        ),
    ];
    for (what, body, headers, cause) in table {
        let world = world(upstream::echo().await);
        let mut request = post("/v1/chat/completions", body);
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let response = ask(&world, request).await;
        assert_eq!(response.status(), StatusCode::FORBIDDEN, "{what}");
        drop(response);
        let ledger = world.ledger().await;
        assert!(ledger.all("exchange_granted").is_empty(), "{what}");
        assert_eq!(ledger.one("exchange_denied")["cause"], cause, "{what}");
    }
}

#[tokio::test]
async fn only_bodies_that_some_rule_reads_are_kept() {
    let world = world(upstream::echo().await);
    let response = ask(&world, post("/v1/plain/x", "x".repeat(20_000))).await;
    assert_eq!(response.status(), StatusCode::OK);
    drop(response);
    assert!(world.ledger().await.one("exchange_granted")["content"].is_null());
}

#[tokio::test]
async fn a_body_that_is_waited_for_is_asked_for() {
    let world = world(upstream::echo().await);
    let mut raw = world.raw(Protocol::Http, "api.example").await;
    let body = json!({"model": "gpt-5", "input": "hello"}).to_string();
    let head = format!(
        "POST /v1/embeddings HTTP/1.1\r\nhost: api.example:8080\r\ncontent-type: application/json\r\nexpect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    raw.write_all(head.as_bytes()).await.unwrap();
    let mut buffer = [0; 1024];
    let read = raw.read(&mut buffer).await.unwrap();
    assert_eq!(&buffer[..read], b"HTTP/1.1 100 Continue\r\n\r\n");
    raw.write_all(body.as_bytes()).await.unwrap();
    let read = raw.read(&mut buffer).await.unwrap();
    assert!(buffer[..read].starts_with(b"HTTP/1.1 200 OK\r\n"));
}

#[tokio::test]
async fn approval_refuses_with_its_cause_until_there_is_any() {
    let world = world(upstream::echo().await);
    let response = ask(&world, post("/v1/plain/approve", "{}")).await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    let told = text(response).await;
    assert!(
        told.contains("a person must see this") && told.contains("approv"),
        "{told}"
    );
    let denied = world.ledger().await.one("exchange_denied");
    assert_eq!(denied["cause"], "approval_required");
}

#[tokio::test]
async fn a_rule_that_terminates_ends_the_connection() {
    let world = world(upstream::echo().await);
    let mut raw = world.raw(Protocol::Http, "api.example").await;
    let head = "GET /v1/plain/end HTTP/1.1\r\nhost: api.example:8080\r\n\r\n";
    raw.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    raw.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    assert!(answer.contains("nobody asks for this"), "{answer}");
    let ledger = world.ledger().await;
    assert_eq!(ledger.one("exchange_denied")["cause"], "terminated");
    assert_eq!(ledger.one("flow_aborted")["cause"], "terminated");
}

#[tokio::test]
async fn a_rule_that_terminates_ends_an_http2_connection_too() {
    let world = world(upstream::echo().await);
    let mut agent = world.agent_http2(Protocol::Http, "api.example").await;
    let request = Request::get("http://api.example:8080/v1/plain/end");
    let refused = agent
        .send_request(request.body(Full::<Bytes>::default()).unwrap())
        .await
        .unwrap();
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    drop(refused);
    // It goes away by itself, with the agent still there.
    for _ in 0..400 {
        if agent.is_closed() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("the connection goes on");
}

#[tokio::test]
async fn a_webhook_is_signed_and_its_path_filled_in() {
    let world = world(upstream::echo().await);
    let mut agent = world.agent(Protocol::Http, "hooks.slack.com").await;
    let request = Request::post("/alerts")
        .header("host", "hooks.slack.com:8080")
        .header("content-type", "application/json")
        .header("webhook-signature", "v1,forged")
        .header("authorization", "Bearer the agent's")
        .body(Full::from(r#"{"text":"hi"}"#))
        .unwrap();
    let response = agent.send(request).await;
    assert_eq!(response.status(), StatusCode::OK);
    let seen = text(response).await;
    assert!(
        seen.starts_with("POST /services/T0/B0/s3cret HTTP/1.1\r\n"),
        "{seen}"
    );
    assert!(seen.contains("authorization: Bearer t0ken\r\n"), "{seen}");
    assert!(
        !seen.contains("forged") && !seen.contains("the agent's"),
        "{seen}"
    );
    verify(&seen, r#"{"text":"hi"}"#);
    drop(agent);
    let ledger = world.ledger().await;
    assert!(!ledger.text.contains("s3cret") && !ledger.text.contains("t0ken"));
    assert_eq!(ledger.one("exchange_granted")["path"], "/alerts");
}

/// Verifies a signature of Standard Webhooks with code that shares nothing with ours.
fn verify(seen: &str, body: &str) {
    let value = |name: &str| {
        let line = seen.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap().trim().to_owned()
    };
    let (id, time) = (value("webhook-id:"), value("webhook-timestamp:"));
    let script = "import base64,hashlib,hmac,sys\nk=base64.b64decode(sys.argv[1])\nprint('v1,'+base64.b64encode(hmac.new(k,sys.argv[2].encode(),hashlib.sha256).digest()).decode())";
    let signed = format!("{id}.{time}.{body}");
    let key = KEY.trim_start_matches("whsec_");
    let output = std::process::Command::new("python3")
        .args(["-c", script, key, &signed])
        .output()
        .unwrap();
    let expected = String::from_utf8(output.stdout).unwrap();
    assert_eq!(value("webhook-signature:"), expected.trim());
}

#[tokio::test]
async fn the_path_of_a_webhook_is_not_written_down() {
    let world = world(upstream::echo().await);
    let mut agent = world.agent(Protocol::Http, "hooks.slack.com").await;
    for (path, status) in [
        ("/services/T0/B0/hidden", StatusCode::OK),
        ("/workflows/T0/A0/hidden", StatusCode::FORBIDDEN),
    ] {
        let request = Request::post(path)
            .header("host", "hooks.slack.com:8080")
            .body(Full::<Bytes>::default())
            .unwrap();
        let response = agent.send(request).await;
        assert_eq!(response.status(), status);
        let _ = text(response).await;
    }
    drop(agent);
    let ledger = world.ledger().await;
    assert!(!ledger.text.contains("hidden"), "{}", ledger.text);
    assert_eq!(
        ledger.one("exchange_granted")["path"],
        "/services/T0/B0/***"
    );
    assert_eq!(
        ledger.one("exchange_denied")["path"],
        "/workflows/T0/A0/***"
    );
}

const CALLS: &str = r#"{"id":"c","object":"chat.completion","created":1,"model":"gpt-5","choices":[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"shell","arguments":"{\"cmd\":\"rm\"}"}},{"id":"b","type":"function","function":{"name":"weather","arguments":"{}"}}]},"finish_reason":"tool_calls"}]}"#;
const TRANSFER: &str = r#"{"id":"c","object":"chat.completion","created":1,"model":"gpt-5","choices":[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"transfer","arguments":"{}"}}]},"finish_reason":"tool_calls"}]}"#;

#[tokio::test]
async fn a_forbidden_tool_call_is_taken_out_of_an_answer() {
    let upstream = upstream::fixed("200 OK\r\ncontent-type: application/json", CALLS).await;
    let world = world(upstream);
    let response = ask(&world, post("/v1/chat/completions", chat("gpt-5", "x"))).await;
    assert_eq!(response.status(), StatusCode::OK);
    let answer: Value = serde_json::from_str(&text(response).await).unwrap();
    let calls = &answer["choices"][0]["message"]["tool_calls"];
    assert_eq!(calls.as_array().unwrap().len(), 1, "{answer}");
    assert_eq!(calls[0]["function"]["name"], "weather");
    let ledger = world.ledger().await;
    let edited = ledger.one("answer_edited");
    assert_eq!(
        (&edited["part"], &edited["name"], &edited["rule"]),
        (
            &"tool_call".into(),
            &"shell".into(),
            &"test/no-shell".into()
        )
    );
    ledger.one("exchange_closed");
}

#[tokio::test]
async fn an_answer_that_is_blocked_whole_is_refused() {
    let upstream = upstream::fixed("200 OK\r\ncontent-type: application/json", TRANSFER).await;
    let world = world(upstream);
    let response = ask(&world, post("/v1/chat/completions", chat("gpt-5", "x"))).await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    let told = text(response).await;
    assert!(
        told.contains("money stays here") && told.contains("enforcer_denied"),
        "{told}"
    );
    let ledger = world.ledger().await;
    assert_eq!(ledger.one("answer_blocked")["name"], "transfer");
    assert_eq!(ledger.one("exchange_aborted")["cause"], "answer_blocked");
}

#[tokio::test]
async fn a_streamed_answer_is_judged_event_by_event_and_never_stalls() {
    let (upstream, mut events) = upstream::scripted("text/event-stream").await;
    let world = world(upstream);
    let body = json!({"model": "gpt-5", "stream": true, "messages": []}).to_string();
    let response = ask(&world, post("/v1/chat/completions", body)).await;
    assert_eq!(response.status(), StatusCode::OK);
    let mut stream = response.into_body();
    let chunk = |delta: Value, finish: Value| {
        let choice = json!({"index": 0, "delta": delta, "finish_reason": finish});
        let chunk = json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "gpt-5", "choices": [choice]});
        format!("data: {chunk}\n\n")
    };
    for word in ["Hel", "lo"] {
        // Each is sent only after the one before has arrived: holding back would never finish this.
        events
            .say(&chunk(json!({"content": word}), Value::Null))
            .await;
        let frame = stream.frame().await.unwrap().unwrap().into_data().unwrap();
        let seen = String::from_utf8(frame.to_vec()).unwrap();
        assert!(seen.contains(word), "{seen}");
    }
    let call = |name: &str| json!({"tool_calls": [{"index": 0, "id": "a", "type": "function", "function": {"name": name, "arguments": ""}}]});
    events.say(&chunk(call("transfer"), Value::Null)).await;
    events.say(&chunk(json!({}), "tool_calls".into())).await;
    let rest = stream.collect().await.unwrap().to_bytes();
    let rest = String::from_utf8(rest.to_vec()).unwrap();
    assert!(!rest.contains("\"transfer\""), "{rest}");
    assert!(
        rest.contains("\"error\"") && rest.contains("money stays here"),
        "{rest}"
    );
    // The upstream learns that nobody reads on.
    assert!(events.closed().await);
    let ledger = world.ledger().await;
    assert_eq!(ledger.one("answer_blocked")["rule"], "test/no-transfers");
    assert_eq!(ledger.one("exchange_aborted")["cause"], "answer_blocked");
}

#[tokio::test]
async fn rows_and_sizes_of_answers_are_bounded() {
    let json = "200 OK\r\ncontent-type: application/json";
    let table = [
        ("/v1/plain/rows", json, "[1,2,3]", true),
        ("/v1/plain/rows", json, "[1,2,3,4]", false),
        ("/v1/plain/rows", json, r#"{"data":[1,2,3,4]}"#, false),
        (
            "/v1/plain/rows",
            "200 OK\r\ncontent-type: text/csv",
            "1\n2\n3\n4\n",
            false,
        ),
        ("/v1/plain/large", json, "[1]", true),
        ("/v1/plain/large", json, "[1,2,3,4,5,6]", false),
        ("/v1/plain/other", json, "[1,2,3,4,5,6]", true),
    ];
    for (path, head, body, passes) in table {
        let world = world(upstream::fixed(head, body).await);
        let response = ask(&world, post(path, "{}")).await;
        let status = response.status();
        let seen = text(response).await;
        if passes {
            assert_eq!((status, seen.as_str()), (StatusCode::OK, body), "{path}");
        } else {
            assert_eq!(status, StatusCode::FORBIDDEN, "{path} {body}");
            world.ledger().await.one("answer_blocked");
        }
    }
}

#[tokio::test]
async fn tools_that_may_not_be_called_are_hidden_from_listings() {
    const LISTING: &str = r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"search","inputSchema":{"type":"object"}},{"name":"delete_all","inputSchema":{"type":"object"}},{"name":"read_file","inputSchema":{"type":"object"}}]}}"#;
    let upstream = upstream::fixed("200 OK\r\ncontent-type: application/json", LISTING).await;
    let world = world(upstream);
    let listing = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
    let response = ask(&world, post("/mcp", listing.to_string())).await;
    assert_eq!(response.status(), StatusCode::OK);
    let answer: Value = serde_json::from_str(&text(response).await).unwrap();
    let names: Vec<_> = answer["result"]["tools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| &tool["name"])
        .collect();
    assert_eq!(names, ["search", "read_file"]);
    let edited = world.ledger().await.one("answer_edited");
    assert_eq!(edited["name"], "delete_all");
    let call = json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "delete_all", "arguments": {}}});
    let response = ask(&world, post("/mcp", call.to_string())).await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn what_goes_over_a_limit_is_asked_to_wait() {
    let world = world(upstream::echo().await);
    for status in [
        StatusCode::OK,
        StatusCode::OK,
        StatusCode::TOO_MANY_REQUESTS,
    ] {
        let response = ask(&world, post("/v1/few", "{}")).await;
        assert_eq!(response.status(), status);
        if status != StatusCode::OK {
            assert!(response.headers().contains_key("retry-after"));
            assert_eq!(response.headers()["x-should-retry"], "false");
            assert!(text(response).await.contains("enforcer_budget"));
        }
    }
    assert_eq!(
        world.ledger().await.one("exchange_denied")["cause"],
        "over_budget"
    );
}

#[tokio::test]
async fn tokens_are_reserved_before_and_settled_after() {
    const ANSWER: &str = r#"{"id":"c","object":"chat.completion","created":1,"model":"gpt-5-mini","choices":[],"usage":{"prompt_tokens":8,"completion_tokens":2,"total_tokens":10}}"#;
    let upstream = upstream::fixed("200 OK\r\ncontent-type: application/json", ANSWER).await;
    let world = world(upstream);
    // Each may take a little over a hundred, so two fit only because the first took ten.
    for _ in 0..2 {
        let body = json!({"model": "gpt-5-mini", "max_tokens": 100, "messages": []});
        let request = post("/v1/chat/completions", body.to_string());
        let response = ask(&world, request).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(text(response).await, ANSWER);
        world.ledger().await;
    }
    let body = json!({"model": "gpt-5-mini", "max_tokens": 1000, "messages": []}).to_string();
    let response = ask(&world, post("/v1/chat/completions", body)).await;
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
}

fn chunks(words: &[&str]) -> String {
    let chunk = |word: &&str| {
        let choice = json!({"index": 0, "delta": {"content": word}, "finish_reason": null});
        let chunk = json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "gpt-5", "choices": [choice]});
        format!("data: {chunk}\n\n")
    };
    words.iter().map(chunk).collect::<String>() + "data: [DONE]\n\n"
}

async fn heard(world: &World, path: &str, heard: &str) -> (StatusCode, String) {
    let mut request = post(path, chat("gpt-5", "x"));
    let value = heard.parse().unwrap();
    request.headers_mut().insert("x-heard", value);
    let mut agent = world.agent(Protocol::Http, "api.example").await;
    // A stream that is ended with its first event, and has no words for that, breaks off before it begins.
    let Ok(response) = agent.attempt(request).await else {
        return (StatusCode::OK, String::new());
    };
    let status = response.status();
    let collected = response.into_body().collect().await;
    let bytes = collected.map(http_body_util::Collected::to_bytes);
    (
        status,
        String::from_utf8(bytes.unwrap_or_default().to_vec()).unwrap(),
    )
}

/// Answers by path and content type, and whether they pass where somebody listens to what they say.
fn spoken() -> Vec<(&'static str, &'static str, String, bool)> {
    let model = "/v1/chat/completions";
    let message = |text: &str| {
        let message = json!({"role": "assistant", "content": text});
        json!({"id": "c", "object": "chat.completion", "created": 1, "model": "gpt-5", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}).to_string()
    };
    let json = "application/json";
    let events = "text/event-stream";
    let split = chunks(&["these are forb", "idden wo", "rds"]);
    vec![
        (model, json, message("fine"), true),
        (
            model,
            json,
            message("these are Forbidden\u{200b} words"),
            false,
        ),
        (model, events, chunks(&["fi", "ne"]), true),
        (model, events, split, false),
        (
            "/v1/plain/page",
            "text/html",
            "<p>forbidden words</p>".to_owned(),
            false,
        ),
        (
            "/v1/plain/page",
            "text/html",
            "<p>words</p>".to_owned(),
            true,
        ),
        (
            "/v1/plain/list",
            json,
            r#"{"a":["x","forbidden words"]}"#.to_owned(),
            false,
        ),
        (
            "/v1/plain/lines",
            "application/x-ndjson",
            "{\"a\":1}\n{\"a\":\"forbidden words\"}\n".to_owned(),
            false,
        ),
        (
            "/v1/plain/feed",
            events,
            "data: hello\n\ndata: {\"a\":\"forbidden\"}\n\ndata: words\n\n".to_owned(),
            false,
        ),
        (
            "/v1/plain/feed",
            events,
            "data: hello\n\ndata: {\"a\":\"words\"}\n\n".to_owned(),
            true,
        ),
        // What cannot be read is not let through where a rule must read it.
        (
            "/v1/plain/file",
            "application/x-thing",
            "forbidden words".to_owned(),
            false,
        ),
    ]
}

#[tokio::test]
async fn the_text_of_answers_is_judged_whole_and_streamed() {
    for (path, kind, body, passes) in spoken() {
        for listens in [true, false] {
            let head: &'static str = format!("200 OK\r\ncontent-type: {kind}").leak();
            let world = world(upstream::fixed(head, body.clone().leak()).await);
            let (status, seen) = heard(&world, path, if listens { "yes" } else { "no" }).await;
            let ledger = world.ledger().await;
            if passes || !listens {
                assert_eq!(
                    (status, seen),
                    (StatusCode::OK, body.clone()),
                    "{path} {body}"
                );
                ledger.one("exchange_closed");
                continue;
            }
            assert!(
                !seen.contains("words\"") && !seen.ends_with("words"),
                "{path}: {seen}"
            );
            let whole = kind != "text/event-stream";
            assert_eq!(status == StatusCode::FORBIDDEN, whole, "{path} {body}");
            let rule = ledger.one("answer_blocked")["rule"].clone();
            // Any rule that would have to read it speaks of what cannot be read.
            assert!(
                rule == "test/heard" || kind == "application/x-thing",
                "{rule}"
            );
            assert_eq!(ledger.one("exchange_aborted")["cause"], "answer_blocked");
        }
    }
}

#[tokio::test]
async fn rows_are_counted_in_lines_and_in_streams() {
    let lines = "application/x-ndjson";
    let events = "text/event-stream";
    let table = [
        (lines, "{\"a\":1}\n{\"a\":2}\n", true),
        (lines, "1\n2\n3\n4\n", false),
        (
            events,
            "data: {\"a\":1}\n\ndata: 2\n\ndata: [DONE]\n\n",
            true,
        ),
        (
            events,
            "data: 1\n\ndata: 2\n\ndata: 3\n\ndata: 4\n\n",
            false,
        ),
        (events, "data: {\"rows\":[1,2]}\n\ndata: [3,4]\n\n", false),
    ];
    for (kind, body, passes) in table {
        let head: &'static str = format!("200 OK\r\ncontent-type: {kind}").leak();
        let world = world(upstream::fixed(head, body).await);
        let (_, seen) = heard(&world, "/v1/plain/rows", "no").await;
        let ledger = world.ledger().await;
        assert_eq!(seen == body, passes, "{body}: {seen}");
        assert_eq!(ledger.all("answer_blocked").is_empty(), passes, "{body}");
    }
}

#[tokio::test]
async fn results_of_batches_are_judged_like_the_answers_they_hold() {
    let line = |name: &str| {
        let call =
            json!({"id": "a", "type": "function", "function": {"name": name, "arguments": "{}"}});
        let message = json!({"role": "assistant", "content": null, "tool_calls": [call]});
        let body = json!({"id": "c", "object": "chat.completion", "created": 1, "model": "gpt-5", "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]});
        let response = json!({"status_code": 200, "request_id": "r", "body": body});
        json!({"id": "b", "custom_id": "1", "response": response, "error": null}).to_string() + "\n"
    };
    let says = |words: &str| {
        let output = json!([{"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": [{"type": "output_text", "text": words, "annotations": []}]}]);
        let body =
            json!({"id": "r", "object": "response", "status": "completed", "output": output});
        json!({"custom_id": "2", "response": {"status_code": 200, "body": body}}).to_string() + "\n"
    };
    let table = [
        (line("weather") + &says("hello"), "yes", true),
        (line("weather") + &line("transfer"), "no", false),
        // Nothing is left out of a file.
        (line("shell"), "no", false),
        (line("weather") + &says("forbidden words"), "yes", false),
        ("\u{89}PNG no lines of JSON".to_owned(), "no", true),
    ];
    for (body, hears, passes) in table {
        let head = "200 OK\r\ncontent-type: application/octet-stream";
        let world = world(upstream::fixed(head, body.clone().leak()).await);
        let request = Request::get("/v1/files/file-1/content")
            .header("host", "api.example:8080")
            .header("x-heard", hears)
            .body(Full::<Bytes>::default());
        let response = ask(&world, request.unwrap()).await;
        let expected = if passes {
            StatusCode::OK
        } else {
            StatusCode::FORBIDDEN
        };
        assert_eq!(response.status(), expected, "{body}");
        let seen = text(response).await;
        assert_eq!(seen == body, passes);
        assert_eq!(
            world.ledger().await.all("answer_blocked").is_empty(),
            passes
        );
    }
}

#[tokio::test]
async fn large_bodies_are_read_aside_and_judged_all_the_same() {
    for (text, status) in [
        ("hello", StatusCode::OK),
        ("my salary", StatusCode::FORBIDDEN),
    ] {
        let judging = Judging {
            body_bytes: 4 << 20,
            memory: enforcer_gate::Quota::new(64 << 20, 64 << 20),
            ..judging()
        };
        let world = world_of(
            upstream::fixed("200 OK\r\ncontent-type: application/json", TRANSFER).await,
            judging,
        );
        let mut body = "x ".repeat(200_000);
        body.push_str(text);
        let response = ask(&world, post("/v1/chat/completions", chat("gpt-5", &body))).await;
        let told = crate::judged::text(response).await;
        assert!(
            told.contains(if status == StatusCode::OK {
                "money stays"
            } else {
                "salaries stay"
            }),
            "{told}"
        );
    }
}

#[tokio::test]
async fn bodies_under_judgement_take_no_more_memory_than_there_is() {
    let judging = Judging {
        memory: enforcer_gate::Quota::new(1, 1),
        ..judging()
    };
    let world = world_of(upstream::echo().await, judging);
    let response = ask(&world, post("/v1/chat/completions", chat("gpt-5", "x"))).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    drop(response);
    let denied = world.ledger().await.one("exchange_denied");
    assert_eq!(denied["cause"], "too_many_bodies");
}

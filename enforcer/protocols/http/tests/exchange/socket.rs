//! WebSockets whose messages rules read.

use enforcer_flow::Protocol;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::judged::world;
use crate::upstream;
use crate::world::World;

const HANDSHAKE: &str = "GET PATH HTTP/1.1\r\nhost: api.example:8080\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-extensions: permessage-deflate\r\n\r\n";

async fn open(world: &World) -> WebSocketStream<DuplexStream> {
    open_at(world, "/v1/realtime?model=gpt-5", "").await
}

pub(crate) async fn open_at(
    world: &World,
    path: &str,
    header: &str,
) -> WebSocketStream<DuplexStream> {
    let (head, raw) = shake(world, path, header).await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    assert!(!head.contains("permessage-deflate"), "{head}");
    WebSocketStream::from_raw_socket(raw, Role::Client, None).await
}

/// What a handshake is answered.
pub(crate) async fn shake(world: &World, path: &str, header: &str) -> (String, DuplexStream) {
    let mut raw = world.raw(Protocol::Http, "api.example").await;
    let handshake = HANDSHAKE.replace("PATH", path);
    let handshake = handshake.replace("\r\n\r\n", &format!("\r\n{header}\r\n"));
    raw.write_all(handshake.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(raw.read_u8().await.unwrap());
    }
    (String::from_utf8(head).unwrap(), raw)
}

async fn heard(socket: &mut WebSocketStream<DuplexStream>) -> Value {
    let message = socket.next().await.unwrap().unwrap();
    serde_json::from_str(message.to_text().unwrap()).unwrap()
}

fn item(text: &str) -> Message {
    let content = json!([{"type": "input_text", "text": text}]);
    let item = json!({"type": "message", "role": "user", "content": content});
    Message::text(json!({"type": "conversation.item.create", "item": item}).to_string())
}

#[tokio::test]
async fn messages_that_rules_allow_pass_in_both_directions() {
    let world = world(upstream::messages(|text| vec![text.to_owned()]).await);
    let mut socket = open(&world).await;
    for text in ["hello", "and again"] {
        socket.send(item(text)).await.unwrap();
        let echoed = heard(&mut socket).await;
        assert_eq!(echoed["item"]["content"][0]["text"], text);
    }
    socket.close(None).await.unwrap();
    while socket.next().await.is_some() {}
    drop(socket);
    let ledger = world.ledger().await;
    assert_eq!(ledger.one("exchange_granted")["rule"], "test/models");
    assert_eq!(ledger.one("exchange_closed")["status"], 101);
}

#[tokio::test]
async fn a_socket_to_a_model_that_no_rule_allows_is_refused_before_it_opens() {
    let world = world(upstream::messages(|text| vec![text.to_owned()]).await);
    let (head, mut raw) = shake(&world, "/v1/realtime?model=gpt-3", "").await;
    assert!(head.starts_with("HTTP/1.1 403 "), "{head}");
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.unwrap().parse().unwrap()];
    raw.read_exact(&mut body).await.unwrap();
    let told: Value = serde_json::from_slice(&body).unwrap();
    let message = told["error"]["message"].as_str().unwrap();
    assert!(message.contains("no rule allows it"), "{message}");
    drop(raw);
    let ledger = world.ledger().await;
    assert_eq!(ledger.one("exchange_denied")["cause"], "no_rule");
    assert!(ledger.all("exchange_granted").is_empty());
}

#[tokio::test]
async fn a_message_that_rules_refuse_ends_the_socket_with_their_reason() {
    let world = world(upstream::messages(|text| vec![text.to_owned()]).await);
    let mut socket = open(&world).await;
    socket
        .send(item("what is the salary of my boss"))
        .await
        .unwrap();
    let error = heard(&mut socket).await;
    assert_eq!(error["type"], "error");
    let message = error["error"]["message"].as_str().unwrap();
    assert!(message.contains("salaries stay here"), "{message}");
    let Some(Ok(Message::Close(Some(frame)))) = socket.next().await else {
        panic!("no close");
    };
    assert_eq!(frame.code, CloseCode::Policy);
    drop(socket);
    let ledger = world.ledger().await;
    let denied = ledger.one("message_denied");
    assert_eq!(denied["rule"], "test/no-salaries");
    assert_eq!(ledger.one("exchange_aborted")["cause"], "message_denied");
    assert!(!ledger.text.contains("my boss"), "{}", ledger.text);
}

#[tokio::test]
async fn whoever_is_refused_while_it_still_speaks_is_heard_out_and_told() {
    let world = world(upstream::messages(|text| vec![text.to_owned()]).await);
    let mut socket = open(&world).await;
    let said = "what is the salary of my boss";
    socket.send(item(said)).await.unwrap();
    // More than any buffer between the two takes, so somebody has to read it.
    let more = "and more ".repeat(1_000);
    for _ in 0..100 {
        socket.send(item(&more)).await.unwrap();
    }
    let error = heard(&mut socket).await;
    assert_eq!(error["type"], "error");
    let Some(Ok(Message::Close(Some(frame)))) = socket.next().await else {
        panic!("no close");
    };
    assert_eq!(frame.code, CloseCode::Policy);
    drop(socket);
    world.ledger().await.one("message_denied");
}

#[tokio::test]
async fn what_is_no_text_or_no_json_is_refused() {
    for message in [Message::binary(vec![1, 2, 3]), Message::text("{")] {
        let world = world(upstream::messages(|text| vec![text.to_owned()]).await);
        let mut socket = open(&world).await;
        socket.send(message.clone()).await.unwrap();
        let mut echoed = false;
        while let Some(Ok(heard)) = socket.next().await {
            echoed |= heard == message;
        }
        assert!(!echoed);
        drop(socket);
        world.ledger().await.one("exchange_aborted");
    }
}

#[tokio::test]
async fn a_forbidden_tool_call_does_not_reach_the_agent() {
    let call = |name: &str| {
        let item = json!({"id": "i", "object": "realtime.item", "type": "function_call", "call_id": "c", "name": name, "arguments": "{}", "status": "completed"});
        let added = json!({"type": "response.output_item.added", "event_id": "e", "response_id": "r", "output_index": 0, "item": {"id": "i", "type": "function_call", "call_id": "c", "name": name, "arguments": "", "status": "in_progress"}});
        let done = json!({"type": "response.function_call_arguments.done", "event_id": "e", "response_id": "r", "item_id": "i", "output_index": 0, "call_id": "c", "name": name, "arguments": "{}"});
        let whole = json!({"type": "response.output_item.done", "event_id": "e", "response_id": "r", "output_index": 0, "item": item});
        [added, done, whole].map(|event| event.to_string())
    };
    let answers = move |_: &str| call("transfer").to_vec();
    let world = world(upstream::messages(answers).await);
    let mut socket = open(&world).await;
    socket.send(item("pay")).await.unwrap();
    let mut seen = Vec::new();
    while let Some(Ok(message)) = socket.next().await {
        seen.push(message.to_string());
    }
    let all = seen.join("\n");
    assert!(!all.contains("\"transfer\""), "{all}");
    assert!(all.contains("money stays here"), "{all}");
    drop(socket);
    let ledger = world.ledger().await;
    assert_eq!(ledger.one("answer_blocked")["name"], "transfer");
}

/// What the far side answers a request with: words, and what they took.
fn answered(text: &str, tokens: u64) -> Vec<String> {
    let delta = json!({"type": "response.output_text.delta", "event_id": "e", "response_id": "r", "item_id": "i", "output_index": 0, "content_index": 0, "delta": text});
    let usage = json!({"total_tokens": tokens, "input_tokens": tokens, "output_tokens": 0});
    let response = json!({"id": "r", "object": "realtime.response", "status": "completed", "output": [], "usage": usage});
    let done = json!({"type": "response.done", "event_id": "e", "response": response});
    [delta, done].map(|event| event.to_string()).to_vec()
}

async fn said(socket: &mut WebSocketStream<DuplexStream>) -> String {
    let mut all = String::new();
    while let Some(Ok(message)) = socket.next().await {
        all.push_str(&message.to_string());
    }
    all
}

#[tokio::test]
async fn what_the_far_side_says_on_a_socket_is_heard_by_rules_about_text() {
    for (header, passes) in [("", true), ("x-heard: yes\r\n", false)] {
        let words = |_: &str| {
            let mut all = answered("these are forb", 1);
            all.splice(1.., answered("idden words", 1));
            all
        };
        let world = world(upstream::messages(words).await);
        let mut socket = open_at(&world, "/v1/realtime?model=gpt-5", header).await;
        socket.send(item("speak")).await.unwrap();
        let first = heard(&mut socket).await;
        assert_eq!(first["delta"], "these are forb");
        let second = heard(&mut socket).await;
        if passes {
            assert_eq!(second["delta"], "idden words");
            socket.close(None).await.unwrap();
        } else {
            assert!(
                second["error"]["message"]
                    .to_string()
                    .contains("not said here")
            );
        }
        assert!(!said(&mut socket).await.contains("idden words"));
        drop(socket);
        let ledger = world.ledger().await;
        assert_eq!(ledger.all("answer_blocked").is_empty(), passes);
    }
}

#[tokio::test]
async fn a_socket_of_no_interface_is_heard_message_by_message() {
    for (words, passes) in [("hello", true), (r#"{"a":["Forbidden  words"]}"#, false)] {
        let world = world(upstream::messages(|text| vec![text.to_owned()]).await);
        let mut socket = open_at(&world, "/v1/listen", "x-heard: yes\r\n").await;
        socket.send(Message::text(words)).await.unwrap();
        let echoed = socket.next().await.unwrap().unwrap().to_string();
        assert_eq!(echoed == words, passes, "{echoed}");
        socket.close(None).await.unwrap_or_default();
        said(&mut socket).await;
        drop(socket);
        let ledger = world.ledger().await;
        assert_eq!(ledger.all("answer_blocked").is_empty(), passes);
    }
}

fn create() -> Message {
    let response = json!({"max_output_tokens": 40, "instructions": "be short"});
    Message::text(json!({"type": "response.create", "response": response}).to_string())
}

#[tokio::test]
async fn messages_are_charged_for_what_their_answers_took() {
    // Each reserves some forty of 150 tokens, and takes the number given.
    for (takes, answers) in [(5, 6), (60, 2)] {
        let reply = move |text: &str| match text.contains("response.create") {
            true => answered("ok", takes),
            false => Vec::new(),
        };
        let world = world(upstream::messages(reply).await);
        let mut socket = open_at(&world, "/v1/realtime?model=gpt-5-mini", "").await;
        for _ in 0..answers {
            // What only adds to the conversation asks for nothing.
            socket.send(item("and another thing")).await.unwrap();
            socket.send(create()).await.unwrap();
            assert_eq!(heard(&mut socket).await["delta"], "ok", "{takes}");
            assert_eq!(heard(&mut socket).await["type"], "response.done");
        }
        if takes == 60 {
            socket.send(create()).await.unwrap();
            let refused = said(&mut socket).await;
            assert!(!refused.contains("\"ok\""), "{refused}");
            drop(socket);
            let denied = world.ledger().await.one("message_denied");
            assert_eq!(denied["cause"], "over_budget");
        }
    }
}

#[tokio::test]
async fn answers_that_nobody_asked_for_are_charged_and_end_a_socket_over_its_budget() {
    // As where the far side decides by itself when somebody has finished speaking.
    let world = world(upstream::messages(|_| answered("ok", 70)).await);
    let mut socket = open_at(&world, "/v1/realtime?model=gpt-5-mini", "").await;
    let audio = json!({"type": "input_audio_buffer.append", "audio": "AAAA"});
    for _ in 0..2 {
        socket.send(Message::text(audio.to_string())).await.unwrap();
        assert_eq!(heard(&mut socket).await["delta"], "ok");
        assert_eq!(heard(&mut socket).await["type"], "response.done");
    }
    socket.send(Message::text(audio.to_string())).await.unwrap();
    let rest = said(&mut socket).await;
    assert!(rest.contains("budget"), "{rest}");
    drop(socket);
    let denied = world.ledger().await.one("message_denied");
    assert_eq!(denied["cause"], "over_budget");
}

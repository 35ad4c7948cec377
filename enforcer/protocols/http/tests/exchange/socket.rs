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

const HANDSHAKE: &str = "GET /v1/realtime?model=gpt-5 HTTP/1.1\r\nhost: api.example:8080\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-extensions: permessage-deflate\r\n\r\n";

async fn open(world: &World) -> WebSocketStream<DuplexStream> {
    let mut raw = world.raw(Protocol::Http, "api.example").await;
    raw.write_all(HANDSHAKE.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(raw.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    assert!(!head.contains("permessage-deflate"), "{head}");
    WebSocketStream::from_raw_socket(raw, Role::Client, None).await
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

//! How long what could become a finding is held, on a clock that moves only when a test moves it.

use std::sync::mpsc;
use std::time::Duration;

use bytes::Bytes;
use enforcer_flow::Protocol;
use enforcer_http::Judging;
use futures_util::{SinkExt, StreamExt};
use http::{Request, StatusCode};
use http_body_util::channel::Channel;
use serde_json::{Value, json};
use tokio::io::DuplexStream;
use tokio::time::advance;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use crate::judged::text;
use crate::socket::open_at;
use crate::upstream;
use crate::world::World;

const POLICY: &str = r#"
version: 1
name: test
detectors:
  name: { words: [Ada Lovelace] }
  planted: { canary: [wren-42-orchard-lantern] }
rules:
  - { id: model, effect: allow, match: { host: api.example, port: 8080, protocol: http, path: /v1/realtime }, mask: [name, { detect: planted, action: block }] }
  - { id: notes, effect: allow, match: { host: api.example, port: 8080, protocol: http, path: /notes }, mask: name }
"#;

/// For so long text of an answer is held, and a request.
const HELD: Duration = Duration::from_secs(5);
const BODY: Duration = Duration::from_secs(8);

fn world(upstream: upstream::Running) -> World {
    let judging = Judging {
        held_text_timeout: HELD,
        body_timeout: BODY,
        ..Judging::without_secrets(64 << 20)
    };
    World::judging(upstream, Duration::from_secs(300), (POLICY, judging))
}

/// As long as it is there the paused clock stands still, also while everybody waits for a socket.
struct Still(mpsc::Sender<()>);

// === impl Still ===

impl Still {
    fn begin() -> Self {
        let (tell, told) = mpsc::channel();
        // A test that goes wrong ends all the same.
        tokio::task::spawn_blocking(move || told.recv_timeout(Duration::from_secs(20)));
        Self(tell)
    }

    fn end(self) {
        drop(self.0);
    }
}

/// A far side that says what it is told to, in deltas; an empty one ends the socket.
async fn speaker() -> upstream::Running {
    upstream::messages(|text| {
        let told: Value = serde_json::from_str(text).unwrap();
        let words = told["item"]["content"][0]["text"].as_str().unwrap();
        let event = |delta: &str| {
            let event = json!({"type": "response.output_text.delta", "event_id": "e", "response_id": "r", "item_id": "i", "output_index": 0, "content_index": 0, "delta": delta});
            event.to_string()
        };
        let deltas = words.split('|');
        deltas
            .map(|delta| match delta {
                "" => String::new(),
                delta => event(delta),
            })
            .collect()
    })
    .await
}

/// Has the far side say something. Nothing of what the agent says is held, or nobody would answer.
async fn say(socket: &mut WebSocketStream<DuplexStream>, words: &str) {
    let content = json!([{"type": "input_text", "text": words}]);
    let item = json!({"type": "message", "role": "user", "content": content});
    let message = json!({"type": "conversation.item.create", "item": item});
    socket
        .send(Message::text(message.to_string()))
        .await
        .unwrap();
}

/// What the next event brings of the text.
async fn delta(socket: &mut WebSocketStream<DuplexStream>) -> String {
    let message = socket.next().await.unwrap().unwrap();
    let event: Value = serde_json::from_str(message.to_text().unwrap()).unwrap();
    assert_eq!(event["type"], "response.output_text.delta", "{event}");
    assert_eq!(event["item_id"], "i", "{event}");
    event["delta"].as_str().unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn text_on_a_socket_is_held_for_as_long_as_may_be_and_no_longer() {
    for (rest, expected) in [
        (" and others.", " and others."),
        ("velace; so.", "[NAME]; so."),
    ] {
        let still = Still::begin();
        let world = world(speaker().await);
        let mut socket = open_at(&world, "/v1/realtime?model=gpt-5", "").await;
        say(&mut socket, "said by Ada Lo").await;
        assert_eq!(delta(&mut socket).await, "said by ");
        advance(HELD).await;
        // An event that nobody sent.
        assert_eq!(delta(&mut socket).await, "Ada Lo");
        say(&mut socket, rest).await;
        assert_eq!(delta(&mut socket).await, expected);
        still.end();
        drop(socket);
        let found = world.ledger().await.all("data_found").len();
        assert_eq!(found, usize::from(rest != expected));
    }
}

#[tokio::test(start_paused = true)]
async fn a_value_that_goes_on_behind_a_pause_on_a_socket_is_blocked_there() {
    let still = Still::begin();
    let world = world(speaker().await);
    let mut socket = open_at(&world, "/v1/realtime?model=gpt-5", "").await;
    say(&mut socket, "it is wren-42-orchard").await;
    assert_eq!(delta(&mut socket).await, "it is ");
    advance(HELD).await;
    assert_eq!(delta(&mut socket).await, "wren-42-orchard");
    // What the far side says then is the rest of it.
    say(&mut socket, "-lan|tern, so").await;
    let mut told = String::new();
    while !told.contains("`planted`") {
        told = socket.next().await.unwrap().unwrap().to_string();
        assert!(!told.contains("tern, so"), "{told}");
    }
    still.end();
    while socket.next().await.is_some() {}
    drop(socket);
    let ledger = world.ledger().await;
    assert_eq!(ledger.one("exchange_aborted")["cause"], "message_denied");
}

#[tokio::test(start_paused = true)]
async fn what_is_held_on_a_socket_goes_before_the_far_side_closes_it() {
    let still = Still::begin();
    let world = world(speaker().await);
    let mut socket = open_at(&world, "/v1/realtime?model=gpt-5", "").await;
    say(&mut socket, "said by Ada Lo|").await;
    assert_eq!(delta(&mut socket).await, "said by ");
    assert_eq!(delta(&mut socket).await, "Ada Lo");
    let closed = socket.next().await.unwrap().unwrap();
    assert!(closed.is_close(), "{closed}");
    still.end();
}

/// A request that comes in two parts, with so long between them.
async fn trickled(parts: [&'static str; 2], pause: Duration) -> (StatusCode, String, World) {
    let still = Still::begin();
    let world = world(upstream::echo().await);
    let mut agent = world.agent(Protocol::Http, "api.example").await;
    let (mut sender, body) = Channel::<Bytes>::new(4);
    let request = Request::post("/notes")
        .header("host", "api.example:8080")
        .header("content-type", "text/plain")
        .body(body)
        .unwrap();
    let speak = async {
        let [first, second] = parts;
        sender.send_data(Bytes::from(first)).await.unwrap();
        // The enforcer has taken it when there is room for more.
        for _ in 0..64 {
            tokio::task::yield_now().await;
        }
        advance(pause).await;
        for _ in 0..64 {
            tokio::task::yield_now().await;
        }
        // Nobody takes it any more from whom was refused.
        let _ = sender.send_data(Bytes::from(second)).await;
        drop(sender);
    };
    let (response, ()) = tokio::join!(agent.send(request), speak);
    still.end();
    let status = response.status();
    let told = text(response).await;
    drop(agent);
    (status, told, world)
}

#[tokio::test(start_paused = true)]
async fn a_request_that_pauses_within_a_value_is_refused_and_nothing_of_it_leaves() {
    let parts = ["a note by Ada Lo", "velace."];
    let (status, told, world) = trickled(parts, BODY - HELD).await;
    assert_eq!(status, StatusCode::OK);
    assert!(told.ends_with("a note by [NAME]."), "{told}");
    drop(world);
    let (status, told, world) = trickled(parts, BODY).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "{told}");
    assert!(told.contains("did not come in time"), "{told}");
    let ledger = world.ledger().await;
    let ended = ledger.one("exchange_aborted");
    assert_eq!(ended["cause"], "body_too_late");
    // Where nothing is held it may take its time.
    let (status, told, _) = trickled(["a note. ", "And on."], BODY * 3).await;
    assert_eq!(status, StatusCode::OK);
    assert!(told.ends_with("a note. And on."), "{told}");
}

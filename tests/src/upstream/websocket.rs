//! A WebSocket that answers what it hears, until it hears a close.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use hyper::header::{
    CONNECTION, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    UPGRADE,
};
use hyper::upgrade::OnUpgrade;
use hyper::{Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt as _;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use crate::upstream::answer;
use crate::upstream::body::Answer;
use crate::upstream::openai::Talker;
use crate::upstream::route::Ask;

const MESSAGE: usize = 4 << 20;
const IDLE: Duration = Duration::from_secs(120);

/// Switches to the WebSocket protocol, or says why not.
pub(super) fn accept(ask: Ask, talker: Talker) -> Response<Answer> {
    let Some(key) = ask.head.headers.get(SEC_WEBSOCKET_KEY) else {
        let status = StatusCode::UPGRADE_REQUIRED;
        return answer::error(status, "not_a_websocket", "this path speaks WebSocket");
    };
    let accepted = derive_accept_key(key.as_bytes());
    let mut response = answer::bare(StatusCode::SWITCHING_PROTOCOLS);
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    if let Ok(value) = HeaderValue::from_str(&accepted) {
        headers.insert(SEC_WEBSOCKET_ACCEPT, value);
    }
    if let Some(wanted) = ask.head.headers.get(SEC_WEBSOCKET_PROTOCOL) {
        headers.insert(SEC_WEBSOCKET_PROTOCOL, wanted.clone());
    }
    tokio::spawn(talk(ask.upgrade, talker));
    response
}

async fn talk(upgrade: OnUpgrade, mut talker: Talker) {
    let Ok(upgraded) = upgrade.await else {
        return;
    };
    let config = WebSocketConfig::default()
        .max_message_size(Some(MESSAGE))
        .max_frame_size(Some(MESSAGE));
    let stream = TokioIo::new(upgraded);
    let mut socket = WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await;
    while let Ok(Some(Ok(message))) = tokio::time::timeout(IDLE, socket.next()).await {
        let answers = match message {
            Message::Text(text) => talker.answer(&text).await,
            Message::Binary(bytes) => match socket.send(Message::Binary(bytes)).await {
                Ok(()) => continue,
                Err(_) => return,
            },
            // The library answers pings.
            _ => continue,
        };
        for answer in answers {
            if socket.send(Message::text(answer)).await.is_err() {
                return;
            }
        }
    }
    // The library answers a close by itself; flushing lets that answer leave, and TLS then says that nothing follows.
    let _ = socket.flush().await;
    let _ = socket.get_mut().shutdown().await;
}

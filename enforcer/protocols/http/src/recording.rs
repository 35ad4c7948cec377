//! What is kept of an exchange, as it goes out and as the agent gets it.
//!
//! Heads are noted before anything is filled in from secrets, and what in them is not known to be harmless becomes
//! fingerprints. Bodies, and messages of WebSockets, are kept as they pass; what cannot be kept does not pass. Pieces of
//! bodies are written by the worker, as lines of the ledger are; long messages, and long answers that are here whole, aside.

use bytes::Bytes;
use enforcer_audit::{Fingerprinter, Message, Spoken, Track, Way};
use enforcer_credentials::shown_path;
use enforcer_flow::{Destination, Side};
use enforcer_gate::Exchange;
use http::Response;
use http::request::Parts;
use http_body::Frame;
use tokio_tungstenite::tungstenite;

use crate::aside::Aside;
use crate::body::BodyError;
use crate::serve::Connection;

mod shown;

/// The cause of what ends because it cannot be kept.
pub(crate) const FAILED: &str = "recording_failed";

/// Notes the request's head, without what will be filled in.
pub(crate) fn request(
    connection: &Connection,
    exchange: &Exchange,
    parts: &Parts,
    destination: &Destination,
) {
    let Some(recording) = exchange.recording() else {
        return;
    };
    let path = parts.uri.path();
    let host = destination.host.name();
    let shown = host.and_then(|host| shown_path(host, path));
    let shown = shown.as_deref().unwrap_or(path);
    let fingerprinter = &connection.agent.fingerprinter;
    let target = match parts.uri.query() {
        Some(query) => format!("{shown}?{}", shown::query(query, fingerprinter)),
        None => shown.to_owned(),
    };
    let message = Message {
        method: Some(parts.method.as_str().to_owned()),
        target: Some(target),
        headers: shown::headers(&parts.headers, fingerprinter),
        ..Message::default()
    };
    recording.head(Way::Request, message);
}

/// Notes the answer's head.
pub(crate) fn answer(
    fingerprinter: &Fingerprinter,
    exchange: &Exchange,
    head: &http::response::Parts,
) {
    if let Some(recording) = exchange.recording() {
        let message = Message {
            status: Some(head.status.as_u16()),
            headers: shown::headers(&head.headers, fingerprinter),
            ..Message::default()
        };
        recording.head(Way::Answer, message);
    }
}

/// Where a body goes that is kept.
pub(crate) fn track(exchange: &Exchange, way: Way) -> Option<Track> {
    exchange.recording()?.track(way)
}

/// Keeps a frame of a body.
pub(crate) fn keep(track: Option<&Track>, frame: &Frame<Bytes>) -> Result<(), BodyError> {
    match (track, frame.data_ref()) {
        (Some(track), Some(data)) => track.push(data).map_err(|_| BodyError::Unrecorded),
        (Some(_) | None, _) => Ok(()),
    }
}

/// Notes that a WebSocket has opened, and what its opening was answered.
pub(crate) fn opened<B>(
    fingerprinter: &Fingerprinter,
    exchange: &Exchange,
    head: Response<B>,
) -> Response<B> {
    let (head, body) = head.into_parts();
    answer(fingerprinter, exchange, &head);
    if let Some(recording) = exchange.recording() {
        recording.opened();
    }
    Response::from_parts(head, body)
}

/// Keeps a message of a WebSocket, which must not pass when that fails.
pub(crate) async fn message(
    aside: &Aside,
    exchange: &Exchange,
    way: Way,
    message: &tungstenite::Message,
) -> Result<(), BodyError> {
    let Some(recording) = exchange.recording().cloned() else {
        return Ok(());
    };
    let own = message.clone();
    let keep = move || match &own {
        tungstenite::Message::Text(text) => recording.message(way, Spoken::Text(text)).is_ok(),
        tungstenite::Message::Binary(bytes) => {
            recording.message(way, Spoken::Binary(bytes)).is_ok()
        }
        // Between each side and us, and passed on by nobody.
        tungstenite::Message::Close(_)
        | tungstenite::Message::Frame(_)
        | tungstenite::Message::Ping(_)
        | tungstenite::Message::Pong(_) => true,
    };
    match aside.weigh(message.len(), keep).await {
        Some(true) => Ok(()),
        Some(false) | None => Err(BodyError::Unrecorded),
    }
}

/// Ends an exchange of which something could not be kept.
pub(crate) fn failed(exchange: Option<Exchange>) -> BodyError {
    if let Some(mut exchange) = exchange {
        exchange.fault(Side::Own, FAILED);
    }
    BodyError::Unrecorded
}

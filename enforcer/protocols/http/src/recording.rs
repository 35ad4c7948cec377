//! What is kept of an exchange, as it goes out and as the agent gets it.
//!
//! Heads are noted before anything is filled in from secrets, and credentials in them become fingerprints. Bodies are kept
//! as they pass; what cannot be kept does not pass.

use bytes::Bytes;
use enforcer_audit::{Fingerprinter, Message, Track, Way};
use enforcer_credentials::shown_path;
use enforcer_flow::{Destination, Side};
use enforcer_gate::{Exchange, Refusal};
use http::HeaderMap;
use http::request::Parts;
use http_body::Frame;

use crate::body::BodyError;
use crate::serve::Connection;
use crate::{credentials, judged};

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
    let target = match parts.uri.query() {
        Some(query) => format!("{shown}?{query}"),
        None => shown.to_owned(),
    };
    let message = Message {
        method: Some(parts.method.as_str().to_owned()),
        target: Some(target),
        headers: shown_headers(&parts.headers, &connection.agent.fingerprinter),
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
            headers: shown_headers(&head.headers, fingerprinter),
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

/// Keeps an answer of which all is here.
pub(crate) fn whole(exchange: &mut Exchange, bytes: &Bytes) -> Result<(), Refusal> {
    let kept = track(exchange, Way::Answer).is_none_or(|track| track.push(bytes).is_ok());
    match kept {
        true => Ok(()),
        false => Err(judged::unable(exchange, FAILED)),
    }
}

/// Ends an exchange of which something could not be kept.
pub(crate) fn failed(exchange: Option<Exchange>) -> BodyError {
    if let Some(mut exchange) = exchange {
        exchange.fault(Side::Own, FAILED);
    }
    BodyError::Unrecorded
}

fn shown_headers(headers: &HeaderMap, fingerprinter: &Fingerprinter) -> Vec<(String, String)> {
    let shown = headers.iter().map(|(name, value)| {
        let value = match credentials::kind(name) {
            Some(kind) => fingerprinter
                .fingerprint(kind, value.as_bytes())
                .to_string(),
            None => String::from_utf8_lossy(value.as_bytes()).into_owned(),
        };
        (name.as_str().to_owned(), value)
    });
    shown.collect()
}

//! What a request's head says about the meaning of its body.

use enforcer_flow::Destination;
use enforcer_prompt::{self as prompt, Shape};
use http::header::{CONTENT_TYPE, HeaderMap};
use http::request::Parts;

/// Headers that only clients of MCP send.
const MCP: [&str; 4] = [
    "mcp-method",
    "mcp-name",
    "mcp-protocol-version",
    "mcp-session-id",
];

/// The shape of a request's body, or of the messages on a WebSocket.
pub(crate) fn of(destination: &Destination, parts: &Parts, websocket: bool) -> Shape {
    prompt::recognise(&prompt::Head {
        host: destination.host.name().unwrap_or_default(),
        method: parts.method.as_str(),
        path: parts.uri.path(),
        query: parts.uri.query(),
        content_type: content_type(&parts.headers),
        mcp: MCP.iter().any(|name| parts.headers.contains_key(*name)),
        websocket,
    })
}

/// The one content type that a head states. Two, or one that is no text, are none that anybody knows.
pub(crate) fn content_type(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    match (values.next(), values.next()) {
        (None, _) => None,
        (Some(value), None) => Some(value.to_str().unwrap_or(UNREADABLE)),
        (Some(_), Some(_)) => Some(UNREADABLE),
    }
}

/// No media type; whoever reads it knows it for none.
const UNREADABLE: &str = "unreadable";

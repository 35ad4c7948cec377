//! Endpoints that try the way in between: echoes, floods, slow drips, and answers that break off.
//!
//! | path | answer |
//! |---|---|
//! | `/test/echo` | the request as it arrived, as JSON |
//! | `/test/upload` | length and digest of the body |
//! | `/test/download?bytes=` | so many bytes, with their length announced |
//! | `/test/chunked?n=&bytes=` | `n` chunks of `bytes`, no length |
//! | `/test/sse?n=&gap_ms=` | `n` events, so far apart; with `gate=NAME` each waits at that gate |
//! | `/test/gate/NAME?n=` | opens a gate for `n` events |
//! | `/test/trailers` | a body and trailers |
//! | `/test/status/CODE` | that status |
//! | `/test/headers?bytes=` | a header of so many bytes |
//! | `/test/early-413` | 413 before the body is read |
//! | `/test/cut?bytes=&after=` | breaks off after `after` bytes |
//! | `/test/close` | the connection closes without an answer |
//! | `/test/websocket` | a WebSocket that echoes |

use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::header::{CONNECTION, CONTENT_LENGTH, HeaderName, HeaderValue, TRAILER};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Response, StatusCode, Version};
use serde_json::json;

use crate::upstream::answer::{self, Feed};
use crate::upstream::body::{Answer, fields, hex};
use crate::upstream::openai::Talker;
use crate::upstream::route::{Ask, Hangup, Service, not_found};
use crate::upstream::websocket;

const EVENTS: u64 = 10_000;
const GAP: u64 = 10_000;
const CHUNK: u64 = 64 << 10;
const FLOOD: u64 = 8 << 30;
const LINGER: usize = 1 << 20;
const HEADER: usize = 1 << 20;

/// Answers a request whose path begins with `/test/`.
pub(super) async fn answer(service: &Service, ask: Ask) -> Result<Response<Answer>, Hangup> {
    let path = ask.head.uri.path().to_owned();
    let name = path.trim_start_matches("/test/");
    if let Some(code) = name.strip_prefix("status/") {
        let status = StatusCode::from_bytes(code.as_bytes());
        return Ok(answer::bare(status.unwrap_or(StatusCode::BAD_REQUEST)));
    }
    if let Some(gate) = name.strip_prefix("gate/") {
        let count = usize::try_from(ask.number("n", 1)).unwrap_or(usize::MAX);
        service.gates().open(gate, count);
        return Ok(answer::bare(StatusCode::NO_CONTENT));
    }
    Ok(match name {
        "chunked" => chunked(&ask),
        "close" => return Err(Hangup),
        "cut" => cut(&ask),
        "download" => download(&ask),
        "early-413" => early_refusal(ask),
        "echo" => echo(ask).await,
        "headers" => headers(&ask),
        "sse" => events(service, &ask),
        "trailers" => trailers(),
        "upload" => upload(ask).await,
        "websocket" => websocket::accept(ask, Talker::Echo),
        _ => not_found(&path),
    })
}

async fn echo(ask: Ask) -> Response<Answer> {
    let Parts {
        method,
        uri,
        version,
        headers,
        ..
    } = ask.head;
    match measure(ask.body).await {
        None => answer::error(StatusCode::BAD_REQUEST, "body_cut", "the body was cut"),
        Some((length, digest, trailers)) => answer::json(
            StatusCode::OK,
            &json!({
                "method": method.as_str(),
                "path": uri.path(),
                "query": uri.query(),
                "version": format!("{version:?}"),
                "authority": uri.authority().map(|authority| authority.as_str()),
                "headers": fields(&headers),
                "length": length,
                "sha256": digest,
                "trailers": trailers,
            }),
        ),
    }
}

async fn upload(ask: Ask) -> Response<Answer> {
    match measure(ask.body).await {
        None => answer::error(StatusCode::BAD_REQUEST, "body_cut", "the body was cut"),
        Some((bytes, sha256, _)) => {
            answer::json(StatusCode::OK, &json!({"bytes": bytes, "sha256": sha256}))
        }
    }
}

type Measured = (u64, String, Vec<(String, String)>);

/// Reads a body to its end without keeping it.
async fn measure<B>(mut body: B) -> Option<Measured>
where
    B: hyper::body::Body<Data = Bytes> + Unpin,
{
    let mut length = 0;
    let mut trailers = Vec::new();
    let mut digest = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    while let Some(frame) = body.frame().await {
        let frame = frame.ok()?;
        if let Some(data) = frame.data_ref() {
            length += data.len() as u64;
            digest.update(data);
        }
        if let Some(map) = frame.trailers_ref() {
            trailers = fields(map);
        }
    }
    Some((length, hex(digest.finish().as_ref()), trailers))
}

fn download(ask: &Ask) -> Response<Answer> {
    let bytes = ask.number("bytes", 1 << 20).min(FLOOD);
    let mut response = answer::streamed("application/octet-stream", move |mut feed| async move {
        flood(&mut feed, bytes).await;
    });
    response
        .headers_mut()
        .insert(CONTENT_LENGTH, HeaderValue::from(bytes));
    response
}

fn cut(ask: &Ask) -> Response<Answer> {
    let bytes = ask.number("bytes", 1 << 20).min(FLOOD);
    let after = ask.number("after", bytes / 2).min(bytes);
    let mut response = answer::streamed("application/octet-stream", move |mut feed| async move {
        if flood(&mut feed, after).await {
            feed.abort();
        }
    });
    response
        .headers_mut()
        .insert(CONTENT_LENGTH, HeaderValue::from(bytes));
    response
}

fn chunked(ask: &Ask) -> Response<Answer> {
    let count = ask.number("n", 3).min(EVENTS);
    let size = ask.number("bytes", 16).min(CHUNK);
    answer::streamed("application/octet-stream", move |mut feed| async move {
        for _ in 0..count {
            if !flood(&mut feed, size).await {
                return;
            }
        }
    })
}

/// Sends the same readable pattern over and over; `false` when the client is gone.
async fn flood(feed: &mut Feed, bytes: u64) -> bool {
    const PATTERN: &[u8; 64] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+\n";
    let block = Bytes::from(PATTERN.repeat(1024));
    let mut left = bytes;
    while left > 0 {
        let take = left.min(CHUNK);
        let piece = block.slice(..usize::try_from(take).unwrap_or(block.len()));
        if !feed.data(piece).await {
            return false;
        }
        left -= take;
    }
    true
}

fn headers(ask: &Ask) -> Response<Answer> {
    let bytes = usize::try_from(ask.number("bytes", 1024)).unwrap_or(HEADER);
    let value = HeaderValue::try_from("x".repeat(bytes.min(HEADER)));
    let mut response = answer::bare(StatusCode::OK);
    if let Ok(value) = value {
        let name = HeaderName::from_static("x-large");
        response.headers_mut().insert(name, value);
    }
    response
}

fn events(service: &Service, ask: &Ask) -> Response<Answer> {
    let count = ask.number("n", 3).min(EVENTS);
    let gap = Duration::from_millis(ask.number("gap_ms", 0).min(GAP));
    let gate = ask.query("gate").map(str::to_owned);
    let gates = service.gates().clone();
    answer::events(move |mut feed| async move {
        for number in 0..count {
            match &gate {
                None if gap.is_zero() => {}
                None => tokio::time::sleep(gap).await,
                Some(gate) => {
                    if !gates.pass(gate).await {
                        return feed.abort();
                    }
                }
            }
            let data = json!({"number": number}).to_string();
            if !feed.event(Some("tick"), &data).await {
                return;
            }
        }
        feed.event(None, "[DONE]").await;
    })
}

fn trailers() -> Response<Answer> {
    let mut response = answer::streamed("text/plain", |mut feed| async move {
        if !feed.data("a body, and then trailers\n").await {
            return;
        }
        let mut fields = HeaderMap::new();
        let name = HeaderName::from_static("x-checksum");
        fields.insert(name, HeaderValue::from_static("0123456789abcdef"));
        feed.trailers(fields).await;
    });
    let announced = HeaderValue::from_static("x-checksum");
    response.headers_mut().insert(TRAILER, announced);
    response
}

/// Answers at once; what the client still sends is read and dropped for a while after that, because closing under its hands
/// would take the answer away again.
fn early_refusal(ask: Ask) -> Response<Answer> {
    let version = ask.head.version;
    let refusal = json!({"error": {
        "message": "refused before it was read",
        "type": "invalid_request_error",
        "param": null,
        "code": "body_too_large",
    }});
    let mut body = ask.body;
    let mut response = answer::streamed("application/json", move |mut feed| async move {
        feed.data(refusal.to_string()).await;
        drop(feed);
        let mut left = LINGER;
        while let (1.., Some(Ok(frame))) = (left, body.frame().await) {
            let length = frame.data_ref().map_or(0, Bytes::len);
            left = left.saturating_sub(length);
        }
    });
    *response.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
    // HTTP/2 has no such header: there only the stream ends.
    if version < Version::HTTP_2 {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(CONNECTION, close);
    }
    response
}

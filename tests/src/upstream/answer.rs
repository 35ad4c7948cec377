//! How answers are put together: JSON, errors in the OpenAI shape, and streams fed by a task.

use std::future::Future;
use std::io;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use http_body_util::channel::{Channel, Sender};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::{Value, json};

use crate::upstream::body::{Answer, empty, full};

/// Frames that may wait between the task that makes them and the connection that sends them.
const FRAMES_AHEAD: usize = 4;

/// The feeding end of a stream; sending fails once the client is gone.
pub(super) struct Feed(Sender<Bytes, io::Error>);

impl Feed {
    /// Sends bytes; `false` when nobody takes them any more.
    pub(super) async fn data(&mut self, bytes: impl Into<Bytes>) -> bool {
        self.0.send_data(bytes.into()).await.is_ok()
    }

    /// Sends one server-sent event, with its name when it has one.
    pub(super) async fn event(&mut self, name: Option<&str>, data: &str) -> bool {
        let mut text = String::with_capacity(data.len() + 64);
        if let Some(name) = name {
            text.push_str("event: ");
            text.push_str(name);
            text.push('\n');
        }
        text.push_str("data: ");
        text.push_str(data);
        text.push_str("\n\n");
        self.data(text).await
    }

    /// Sends trailers.
    pub(super) async fn trailers(&mut self, fields: hyper::HeaderMap) -> bool {
        self.0.send_trailers(fields).await.is_ok()
    }

    /// Ends the stream as a broken one.
    pub(super) fn abort(self) {
        self.0.abort(io::Error::other("cut on request"));
    }
}

/// A JSON answer.
pub(super) fn json(status: StatusCode, value: &Value) -> Response<Answer> {
    let mut response = Response::new(full(value.to_string()));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

/// An answer without a body.
pub(super) fn bare(status: StatusCode) -> Response<Answer> {
    let mut response = Response::new(empty());
    *response.status_mut() = status;
    response
}

/// An error in the shape the OpenAI API uses.
pub(super) fn error(status: StatusCode, code: &str, message: &str) -> Response<Answer> {
    let body = json!({
        "error": {
            "message": message,
            "type": "invalid_request_error",
            "param": null,
            "code": code,
        }
    });
    json(status, &body)
}

/// An answer whose body is made by a task while it is being sent.
pub(super) fn streamed<M, F>(kind: &'static str, make: M) -> Response<Answer>
where
    M: FnOnce(Feed) -> F,
    F: Future<Output = ()> + Send + 'static,
{
    let (sender, body) = Channel::new(FRAMES_AHEAD);
    tokio::spawn(make(Feed(sender)));
    let mut response = Response::new(body.boxed_unsync());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

/// An answer of server-sent events.
pub(super) fn events<M, F>(make: M) -> Response<Answer>
where
    M: FnOnce(Feed) -> F,
    F: Future<Output = ()> + Send + 'static,
{
    streamed("text/event-stream; charset=utf-8", make)
}

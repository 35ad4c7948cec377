//! "No" in HTTP, in the shape that the OpenAI SDKs turn into an exception of the right class.

use bytes::Bytes;
use enforcer_gate::{Fault, Refusal};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};
use serde::Serialize;

use crate::ResponseBody;
use crate::serve::Connection;

/// The code of refusals by policy, in answers and in streams.
pub(crate) const DENIED: &str = "enforcer_denied";
/// Their type.
const VIOLATION: &str = "policy_violation";

/// Names the exchange, so that an agent's report can be matched with the ledger.
const EXCHANGE: HeaderName = HeaderName::from_static("x-enforcer-exchange");
/// The OpenAI SDKs retry some statuses by themselves unless this says no.
const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");

/// How many seconds an SDK waits by itself.
const PATIENCE: u32 = 60;

/// The error object of the OpenAI API reference.
#[derive(Serialize)]
struct Envelope<'a> {
    error: ErrorObject<'a>,
}

/// The error event of the realtime interface.
#[derive(Serialize)]
struct Event<'a> {
    r#type: &'static str,
    error: ErrorObject<'a>,
}

#[derive(Serialize)]
struct ErrorObject<'a> {
    message: &'a str,
    r#type: &'static str,
    param: Option<&'static str>,
    code: &'static str,
}

/// The answer to a refused request. A rule may want the connection to end with it.
pub(crate) fn refuse(connection: &Connection, refusal: &Refusal) -> Response<ResponseBody> {
    heed(connection, refusal);
    answer(refusal)
}

/// Ends the connection if the refusal asks for that.
pub(crate) fn heed(connection: &Connection, refusal: &Refusal) {
    if refusal.fault == Fault::Terminated {
        connection.terminate();
    }
}

/// A refusal on a WebSocket, as the realtime interface words errors.
pub(crate) fn error_event(message: &str) -> String {
    let event = Event {
        r#type: "error",
        error: ErrorObject {
            message,
            r#type: VIOLATION,
            param: None,
            code: DENIED,
        },
    };
    // As below: nothing in it can fail to serialise.
    serde_json::to_string(&event).unwrap_or_default()
}

fn answer(refusal: &Refusal) -> Response<ResponseBody> {
    let (status, kind, code) = match refusal.fault {
        Fault::Agent => (
            StatusCode::BAD_REQUEST,
            "invalid_request_error",
            "enforcer_incomplete_request",
        ),
        Fault::Budget(_) => (StatusCode::TOO_MANY_REQUESTS, VIOLATION, "enforcer_budget"),
        Fault::Policy | Fault::Terminated => (StatusCode::FORBIDDEN, VIOLATION, DENIED),
        Fault::TooLarge => (
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "invalid_request_error",
            "enforcer_header_too_large",
        ),
        Fault::Unavailable => (
            StatusCode::SERVICE_UNAVAILABLE,
            "enforcer_error",
            "enforcer_unavailable",
        ),
        Fault::Upstream => (
            StatusCode::BAD_GATEWAY,
            "upstream_error",
            "enforcer_upstream_failed",
        ),
    };
    let envelope = Envelope {
        error: ErrorObject {
            message: &refusal.public,
            r#type: kind,
            param: None,
            code,
        },
    };
    // The struct holds strings and nothing that can fail to serialise; an empty body would still refuse.
    let body = Bytes::from(serde_json::to_vec(&envelope).unwrap_or_default());
    let length = body.len();
    let mut response = Response::new(ResponseBody::Own(Some(body)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    if let Ok(id) = HeaderValue::from_str(&refusal.exchange.to_string()) {
        headers.insert(EXCHANGE, id);
    }
    if matches!(refusal.fault, Fault::Policy | Fault::Terminated) {
        headers.insert(SHOULD_RETRY, HeaderValue::from_static("false"));
    }
    if let Fault::Budget(after) = refusal.fault {
        // Without one, or with a long one, an SDK would ask again at once, in vain.
        if after.is_none_or(|seconds| seconds.get() > PATIENCE) {
            headers.insert(SHOULD_RETRY, HeaderValue::from_static("false"));
        }
        if let Some(seconds) = after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds.get()));
        }
    }
    response
}

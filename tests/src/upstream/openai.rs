//! The part of the OpenAI API that agents use: chat completions, responses, embeddings, models.
//!
//! What is said is decided in [`turn`]; the rooms beside it put it in the API's shapes, whole and streamed.

use hyper::header::AUTHORIZATION;
use hyper::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::upstream::answer;
use crate::upstream::body::Answer;
use crate::upstream::route::{Ask, Service, not_found};
use crate::upstream::websocket;

mod chat;
mod embeddings;
mod realtime;
mod responses;
mod turn;

pub(super) use realtime::Talker;

const MODELS: [&str; 4] = ["gpt-4.1", "gpt-5", "gpt-5-mini", "text-embedding-3-small"];
/// 2025-01-01, the day all our models were made.
const MADE: u64 = 1_735_689_600;

/// Answers a request whose path begins with `/v1/`.
pub(super) async fn answer(service: &Service, ask: Ask) -> Response<Answer> {
    if !is_authorized(&ask) {
        let status = StatusCode::UNAUTHORIZED;
        let message = "You didn't provide an API key.";
        return answer::error(status, "invalid_api_key", message);
    }
    let method = ask.head.method.clone();
    let path = ask.head.uri.path().to_owned();
    match (method, path.as_str()) {
        (Method::GET, "/v1/models") => models(),
        (Method::GET, path) if path.starts_with("/v1/models/") => {
            model(path.trim_start_matches("/v1/models/"))
        }
        (Method::GET, "/v1/realtime") => websocket::accept(ask, Talker::realtime(service)),
        (Method::GET, "/v1/responses") => {
            websocket::accept(ask, Talker::Responses(service.clone()))
        }
        (Method::GET, "/v1/files") => files(),
        (Method::POST, "/v1/files") => match ask.whole().await {
            Ok(content) => file(service, content.len()),
            Err(refusal) => *refusal,
        },
        (Method::POST, "/v1/traces/ingest") => match ask.whole().await {
            Ok(_) => answer::bare(StatusCode::NO_CONTENT),
            Err(refusal) => *refusal,
        },
        (Method::POST, "/v1/chat/completions") => with_json(service, ask, chat::answer).await,
        (Method::POST, "/v1/embeddings") => with_json(service, ask, embeddings::answer).await,
        (Method::POST, "/v1/responses") => with_json(service, ask, responses::answer).await,
        (_, path) => not_found(path),
    }
}

/// The number of tokens we say a text has: its words, which is near enough for a bill nobody pays.
fn tokens(text: &str) -> u64 {
    text.split_whitespace().count() as u64
}

/// Splits a text after each space, as models that stream do; asked to speak slowly, after every other letter.
fn pieces(text: &str) -> Vec<&str> {
    if !text.contains("slowly") {
        return text.split_inclusive(' ').collect();
    }
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let next = rest.char_indices().nth(2).map_or(rest.len(), |(at, _)| at);
        let (piece, left) = rest.split_at(next);
        pieces.push(piece);
        rest = left;
    }
    pieces
}

fn refused(code: &str, message: &str) -> Response<Answer> {
    answer::error(StatusCode::BAD_REQUEST, code, message)
}

fn is_authorized(ask: &Ask) -> bool {
    let header = ask.head.headers.get(AUTHORIZATION);
    header
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "))
        .is_some_and(|key| !key.trim().is_empty())
}

async fn with_json(
    service: &Service,
    ask: Ask,
    handle: fn(&Service, &Value) -> Response<Answer>,
) -> Response<Answer> {
    let bytes = match ask.whole().await {
        Ok(bytes) => bytes,
        Err(refusal) => return *refusal,
    };
    match serde_json::from_slice(&bytes) {
        Ok(value) => handle(service, &value),
        Err(error) => refused("invalid_json", &format!("the body is not JSON: {error}")),
    }
}

fn describe(id: &str) -> Value {
    json!({"id": id, "object": "model", "created": MADE, "owned_by": "openai"})
}

fn models() -> Response<Answer> {
    let all: Vec<Value> = MODELS.iter().map(|id| describe(id)).collect();
    answer::json(StatusCode::OK, &json!({"object": "list", "data": all}))
}

fn model(id: &str) -> Response<Answer> {
    if MODELS.contains(&id) {
        return answer::json(StatusCode::OK, &describe(id));
    }
    let message = format!("The model `{id}` does not exist.");
    answer::error(StatusCode::NOT_FOUND, "model_not_found", &message)
}

fn files() -> Response<Answer> {
    let list = json!({"object": "list", "data": [], "has_more": false});
    answer::json(StatusCode::OK, &list)
}

fn file(service: &Service, bytes: usize) -> Response<Answer> {
    let kept = json!({
        "id": format!("file-{:016x}", service.serial()),
        "object": "file",
        "bytes": bytes,
        "created_at": MADE,
        "filename": "upload",
        "purpose": "user_data",
        "status": "processed",
    });
    answer::json(StatusCode::OK, &kept)
}

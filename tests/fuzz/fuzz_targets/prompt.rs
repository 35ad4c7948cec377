//! A request's body under any of the heads that are known: read or refused, never both, and the same when it is read again.

#![no_main]

use enforcer_prompt::{Body, Head, Limits, recognise};
use libfuzzer_sys::fuzz_target;

const HEADS: &[(&str, &str)] = &[
    ("api.openai.com", "/v1/chat/completions"),
    ("api.openai.com", "/v1/responses"),
    ("api.openai.com", "/v1/embeddings"),
    ("api.openai.com", "/v1/completions"),
    ("api.openai.com", "/v1/images/edits"),
    ("api.openai.com", "/v1/audio/transcriptions"),
    ("api.openai.com", "/v1/files"),
    ("api.openai.com", "/v1/uploads"),
    ("api.openai.com", "/v1/batches"),
    ("api.openai.com", "/v1/threads/t/runs"),
    ("api.openai.com", "/v1/threads/t/messages"),
    ("api.openai.com", "/v1/moderations"),
    ("api.openai.com", "/v1/fine_tuning/jobs"),
    ("api.openai.com", "/v1/realtime"),
    ("api.openai.com", "/v1/other"),
    (
        "me.openai.azure.com",
        "/openai/deployments/d/chat/completions",
    ),
    ("api.anthropic.com", "/v1/messages"),
    ("api.anthropic.com", "/v1/messages/batches"),
    (
        "generativelanguage.googleapis.com",
        "/v1beta/models/g:generateContent",
    ),
    (
        "generativelanguage.googleapis.com",
        "/v1beta/models/g:batchEmbedContents",
    ),
    ("mcp.example.com", "/mcp"),
    ("hooks.example.com", "/services/x"),
];

const TYPES: &[&str] = &[
    "application/json",
    "application/x-ndjson",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=XX",
    "text/plain",
];

fuzz_target!(|input: (u8, u8, &[u8])| {
    let (place, kind, bytes) = input;
    let (host, path) = HEADS[place as usize % HEADS.len()];
    let shape = recognise(&Head {
        host,
        method: "POST",
        path,
        content_type: Some(TYPES[kind as usize % TYPES.len()]),
        mcp: path == "/mcp",
        websocket: path == "/v1/realtime",
        ..Head::default()
    });
    let limits = Limits::default();
    let Ok(body) = Body::parse(&shape, bytes, &limits) else {
        return;
    };
    let once = body.content(&shape, &limits);
    let again = body.content(&shape, &limits);
    assert_eq!(once, again, "read differently a second time");
    for document in body.documents() {
        assert_eq!(document.raw(document.root()), document.text().trim());
        let theirs: Result<serde_json::Value, _> = serde_json::from_str(document.text());
        assert!(theirs.is_ok(), "read what others do not");
    }
});

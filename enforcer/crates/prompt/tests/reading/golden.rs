//! Each body of `data/requests` says what the file beside it says it says.

use std::fs;
use std::path::Path;

use enforcer_prompt::Head;

use super::{post, read};

/// The file, and the host and the path under which it is sent.
const REQUESTS: &[(&str, &str, &str)] = &[
    (
        "anthropic-batch.json",
        "api.anthropic.com",
        "/v1/messages/batches",
    ),
    ("anthropic-blocks.json", "api.anthropic.com", "/v1/messages"),
    (
        "anthropic-count.json",
        "api.anthropic.com",
        "/v1/messages/count_tokens",
    ),
    ("anthropic.json", "api.anthropic.com", "/v1/messages"),
    (
        "azure-chat.json",
        "me.openai.azure.com",
        "/openai/deployments/my-deployment/chat/completions",
    ),
    ("batches.json", "api.openai.com", "/v1/batches"),
    ("chat-legacy.json", "api.openai.com", "/v1/chat/completions"),
    ("chat.json", "api.openai.com", "/v1/chat/completions"),
    (
        "completions-tokens.json",
        "api.openai.com",
        "/v1/completions",
    ),
    ("embeddings.json", "api.openai.com", "/v1/embeddings"),
    ("file.multipart", "api.openai.com", "/v1/files"),
    ("fine-tuning.json", "api.openai.com", "/v1/fine_tuning/jobs"),
    (
        "gemini-count.json",
        "generativelanguage.googleapis.com",
        "/v1beta/models/gemini-2.5-flash:countTokens",
    ),
    (
        "gemini-embed.json",
        "generativelanguage.googleapis.com",
        "/v1beta/models/gemini-embedding-001:batchEmbedContents",
    ),
    (
        "gemini-parts.json",
        "generativelanguage.googleapis.com",
        "/v1beta/models/gemini-2.5-pro:generateContent",
    ),
    (
        "gemini-stream.json",
        "generativelanguage.googleapis.com",
        "/v1beta/models/gemini-2.5-flash:streamGenerateContent",
    ),
    (
        "gemini.json",
        "generativelanguage.googleapis.com",
        "/v1beta/models/gemini-2.5-flash:generateContent",
    ),
    ("image-edit.multipart", "api.openai.com", "/v1/images/edits"),
    ("image.json", "api.openai.com", "/v1/images/generations"),
    ("mcp-batch.json", "mcp.example.com", "/mcp"),
    ("mcp-call.json", "mcp.example.com", "/mcp"),
    ("moderations.json", "api.openai.com", "/v1/moderations"),
    ("realtime-item.json", "api.openai.com", "/v1/realtime"),
    ("realtime-response.json", "api.openai.com", "/v1/realtime"),
    ("realtime-session.json", "api.openai.com", "/v1/realtime"),
    ("responses-items.json", "api.openai.com", "/v1/responses"),
    ("responses-socket.json", "api.openai.com", "/v1/responses"),
    ("responses.json", "api.openai.com", "/v1/responses"),
    ("run.json", "api.openai.com", "/v1/threads/thread_1/runs"),
    ("speech.json", "api.openai.com", "/v1/audio/speech"),
    (
        "thread-message.json",
        "api.openai.com",
        "/v1/threads/thread_1/messages",
    ),
    (
        "tool-outputs.json",
        "api.openai.com",
        "/v1/threads/thread_1/runs/run_1/submit_tool_outputs",
    ),
    (
        "transcription.multipart",
        "api.openai.com",
        "/v1/audio/transcriptions",
    ),
    ("upload.json", "api.openai.com", "/v1/uploads"),
];

fn head<'a>(name: &str, host: &'a str, path: &'a str) -> Head<'a> {
    let mut head = post(host, path);
    head.websocket = path == "/v1/realtime" || name == "responses-socket.json";
    head.query = (path == "/v1/realtime").then_some("model=gpt-realtime");
    if name.ends_with(".multipart") {
        head.content_type = Some("multipart/form-data; boundary=2f1acb5e");
    }
    head
}

#[test]
fn every_request_says_what_is_expected() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/requests");
    let mut wrong = Vec::new();
    for (name, host, path) in REQUESTS {
        let body = fs::read(folder.join(name)).unwrap();
        let facts = match read(&head(name, host, path), &body) {
            Ok(facts) => facts,
            Err(undecidable) => format!("undecidable: {undecidable}\n"),
        };
        let expected = fs::read_to_string(folder.join(name).with_extension("facts"));
        if expected.unwrap_or_default() != facts {
            wrong.push(format!("=== {name}\n{facts}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A body that is cut anywhere is not read as another one.
#[test]
fn no_proper_prefix_of_a_request_is_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/requests");
    for (name, host, path) in REQUESTS {
        let body = fs::read(folder.join(name)).unwrap();
        let body = body.trim_ascii_end();
        // The end of the last boundary may lack its line's end.
        for end in 1..body.len() {
            let said = read(&head(name, host, path), &body[..end]);
            assert!(
                said.is_err(),
                "{name} cut after {end} bytes: {}",
                said.unwrap()
            );
        }
    }
}

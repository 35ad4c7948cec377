//! Hosts, paths and content types to interfaces.

use enforcer_prompt::Operation as O;
use enforcer_prompt::Provider::{Anthropic, Azure, Gemini, OpenAi};
use enforcer_prompt::{Api, Head, Media, Operation, Provider, recognise};

use super::post;

fn api(host: &str, path: &str) -> Option<(Provider, Operation)> {
    match recognise(&post(host, path)).api {
        Api::Model(provider, operation) => Some((provider, operation)),
        Api::Mcp | Api::Other => None,
    }
}

/// An interface, where a path is one's.
type Known = Option<(Provider, O)>;

const PATHS: &[(&str, &str, Known)] = &[
    (
        "api.openai.com",
        "/v1/chat/completions",
        Some((OpenAi, O::Chat)),
    ),
    (
        "eu.api.openai.com",
        "/v1/responses",
        Some((OpenAi, O::Responses)),
    ),
    (
        "api.openai.com",
        "/v1/responses/resp_1",
        Some((OpenAi, O::Responses)),
    ),
    (
        "api.openai.com",
        "/v1/responses/input_tokens",
        Some((OpenAi, O::CountTokens)),
    ),
    (
        "api.openai.com",
        "//v1///chat/completions/",
        Some((OpenAi, O::Chat)),
    ),
    (
        "api.openai.com",
        "/v1/chat%2Fcompletions",
        Some((OpenAi, O::Other)),
    ),
    (
        "api.openai.com",
        "/v1/ch%61t/completions",
        Some((OpenAi, O::Chat)),
    ),
    (
        "api.openai.com",
        "/v1/files/../chat/completions",
        Some((OpenAi, O::Other)),
    ),
    ("api.openai.com", "/v1/skills", Some((OpenAi, O::Other))),
    ("api.openai.com", "/", Some((OpenAi, O::Other))),
    (
        "api.openai.com",
        "/v1/threads/t/runs/r/submit_tool_outputs",
        Some((OpenAi, O::Runs)),
    ),
    (
        "api.openai.com",
        "/v1/threads/v1/messages",
        Some((OpenAi, O::Messages)),
    ),
    (
        "api.openai.com",
        "/v1/realtime/client_secrets",
        Some((OpenAi, O::RealtimeSessions)),
    ),
    ("notapi.openai.com.example", "/", None),
    ("evilapi.openai.com", "/", None),
    (
        "me.openai.azure.com",
        "/openai/deployments/d/chat/completions",
        Some((Azure, O::Chat)),
    ),
    (
        "me.openai.azure.com",
        "/OpenAI/Deployments/d/Chat/Completions",
        Some((Azure, O::Chat)),
    ),
    (
        "me.openai.azure.com",
        "/openai/v1/responses",
        Some((Azure, O::Responses)),
    ),
    (
        "me.openai.azure.com",
        "/openai/files",
        Some((Azure, O::Files)),
    ),
    (
        "proxy.example",
        "/openai/deployments/d/embeddings",
        Some((Azure, O::Embeddings)),
    ),
    (
        "llm.example",
        "/v1/chat/completions",
        Some((OpenAi, O::Chat)),
    ),
    (
        "llm.example",
        "/api/v1/chat/completions",
        Some((OpenAi, O::Chat)),
    ),
    (
        "llm.example",
        "/openai/v1/chat/completions",
        Some((OpenAi, O::Chat)),
    ),
    ("llm.example", "/chat/completions", Some((OpenAi, O::Chat))),
    (
        "llm.example",
        "/api/v3/embeddings",
        Some((OpenAi, O::Embeddings)),
    ),
    ("llm.example", "/files", None),
    (
        "api.anthropic.com",
        "/v1/messages",
        Some((Anthropic, O::Chat)),
    ),
    (
        "api.anthropic.com",
        "/v1/messages/count_tokens",
        Some((Anthropic, O::CountTokens)),
    ),
    (
        "api.anthropic.com",
        "/v1/skills",
        Some((Anthropic, O::Other)),
    ),
    (
        "llm.example",
        "/anthropic/v1/messages",
        Some((Anthropic, O::Chat)),
    ),
    (
        "generativelanguage.googleapis.com",
        "/v1beta/models/gemini-2.5-pro:generateContent",
        Some((Gemini, O::Chat)),
    ),
    (
        "us-central1-aiplatform.googleapis.com",
        "/v1/projects/p/locations/l/publishers/google/models/g:streamGenerateContent",
        Some((Gemini, O::Chat)),
    ),
    (
        "us-east5-aiplatform.googleapis.com",
        "/v1/projects/p/locations/l/publishers/anthropic/models/claude:rawPredict",
        Some((Anthropic, O::Chat)),
    ),
    (
        "generativelanguage.googleapis.com",
        "/v1beta/openai/chat/completions",
        Some((OpenAi, O::Chat)),
    ),
    (
        "generativelanguage.googleapis.com",
        "/v1beta/interactions",
        Some((Gemini, O::Other)),
    ),
    ("hooks.slack.com", "/services/T0/B0/x", None),
];

#[test]
fn paths_are_known_at_home_at_azure_and_at_compatible_hosts() {
    for (host, path, expected) in PATHS {
        assert_eq!(api(host, path), *expected, "{host}{path}");
    }
}

#[test]
fn the_deployment_is_the_model_whatever_the_body_claims() {
    let head = post(
        "me.openai.azure.com",
        "/openai/deployments/cheap/chat/completions",
    );
    let body = br#"{"model":"allowed","messages":[]}"#;
    let facts = super::read(&head, body).unwrap();
    assert!(facts.starts_with("azure Chat model=cheap"), "{facts}");
}

#[test]
fn a_model_in_the_query_counts_for_realtime_only() {
    let mut head = post("llm.example", "/v1/chat/completions");
    head.query = Some("model=allowed");
    let facts = super::read(&head, br#"{"model":"real","messages":[]}"#).unwrap();
    assert!(facts.starts_with("openai Chat model=real"), "{facts}");
    let socket = Head {
        path: "/v1/realtime",
        websocket: true,
        query: Some("model=one&model=two"),
        ..post("api.openai.com", "")
    };
    assert_eq!(recognise(&socket).model, None, "two models are none");
}

#[test]
fn content_types_are_read_strictly() {
    for (value, media) in [
        ("application/json", Media::Json),
        ("Application/JSON ; charset=\"UTF-8\"", Media::Json),
        ("application/vnd.api+json", Media::Json),
        ("application/json; charset=utf-16", Media::Unreadable),
        (
            "application/json; charset=utf-8; charset=utf-7",
            Media::Unreadable,
        ),
        ("application/json, text/plain", Media::Unreadable),
        ("json", Media::Unreadable),
        ("", Media::None),
        ("application/x-ndjson", Media::JsonLines),
        ("text/event-stream", Media::EventStream),
        ("text/plain", Media::Text),
        ("application/x-www-form-urlencoded", Media::Form),
        (
            "multipart/form-data; boundary=x",
            Media::Multipart("x".to_owned()),
        ),
        (
            "multipart/form-data; boundary=\"a b\"",
            Media::Multipart("a b".to_owned()),
        ),
        (
            "multipart/form-data; boundary=a; boundary=b",
            Media::Unreadable,
        ),
        (
            "multipart/form-data; boundary=\"a\\\"b\"",
            Media::Unreadable,
        ),
        ("multipart/form-data", Media::Unreadable),
        (
            "application/octet-stream",
            Media::Other("application/octet-stream".to_owned()),
        ),
    ] {
        let head = Head {
            content_type: Some(value),
            ..Head::default()
        };
        assert_eq!(recognise(&head).media, media, "{value}");
    }
}

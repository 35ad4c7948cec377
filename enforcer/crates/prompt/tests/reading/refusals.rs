//! Bodies that are sound JSON and no sound request: what a reader of ours would miss, another might see.

use enforcer_prompt::{Cause, Head};

use super::{cause, post, read};

#[test]
fn keys_that_others_would_take_for_known_ones_are_refused() {
    let chat = post("api.openai.com", "/v1/chat/completions");
    let anthropic = post("api.anthropic.com", "/v1/messages");
    let gemini = post(
        "generativelanguage.googleapis.com",
        "/v1beta/models/g:generateContent",
    );
    let mcp = post("mcp.example.com", "/mcp");
    for (head, body) in [
        (&chat, r#"{"messages":[],"model":"a","Model":"b"}"#),
        (&chat, r#"{"messages":[],"model":"a","Tools":[]}"#),
        (&chat, r#"{"messages":[],"model":"a","toolChoice":"none"}"#),
        (&chat, r#"{"messages":[],"model":"a","meſſages":[]}"#),
        (
            &chat,
            r#"{"model":"a","messages":[{"role":"user","Content":"x"}]}"#,
        ),
        (&anthropic, r#"{"messages":[],"model":"a","SYSTEM":"x"}"#),
        (
            &gemini,
            r#"{"contents":[],"systemInstruction":{},"system_instruction":{}}"#,
        ),
        (&gemini, r#"{"contents":[],"CONTENTS":[]}"#),
        (
            &mcp,
            r#"{"jsonrpc":"2.0","method":"ping","Method":"tools/call"}"#,
        ),
        (
            &mcp,
            r#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"a","Name":"b"}}"#,
        ),
    ] {
        assert_eq!(
            cause(head, body.as_bytes()),
            Some(Cause::AmbiguousKey),
            "{body}"
        );
    }
}

#[test]
fn fields_of_other_types_are_refused() {
    let chat = post("api.openai.com", "/v1/chat/completions");
    let responses = post("api.openai.com", "/v1/responses");
    let mcp = post("mcp.example.com", "/mcp");
    for (head, body) in [
        (&chat, r#"[]"#),
        (&chat, r#"{"model":"a"}"#),
        (&chat, r#"{"messages":{},"model":"a"}"#),
        (&chat, r#"{"messages":[],"model":["a"]}"#),
        (&chat, r#"{"messages":[],"model":"a","stream":"yes"}"#),
        (&chat, r#"{"messages":[],"model":"a","max_tokens":-1}"#),
        (&chat, r#"{"messages":[{"content":"x"}],"model":"a"}"#),
        (
            &chat,
            r#"{"messages":[{"role":"user","content":{"type":"text"}}],"model":"a"}"#,
        ),
        (
            &chat,
            r#"{"messages":[],"tools":[{"type":"function","function":{}}]}"#,
        ),
        (&responses, r#"{"model":"a","input":7}"#),
        (
            &responses,
            r#"{"model":"a","input":[{"type":"message","role":"user"}]}"#,
        ),
        (&mcp, r#"{"jsonrpc":"1.0","method":"ping"}"#),
        (
            &mcp,
            r#"{"jsonrpc":"2.0","method":"tools/call","params":{"arguments":{}}}"#,
        ),
        (
            &mcp,
            r#"{"jsonrpc":"2.0","method":"tools/call","params":["x"]}"#,
        ),
    ] {
        assert_eq!(cause(head, body.as_bytes()), Some(Cause::Schema), "{body}");
    }
    assert_eq!(
        cause(&mcp, br#"{"jsonrpc":"2.0","method":"ping","result":{}}"#),
        Some(Cause::Inconsistent)
    );
    assert_eq!(
        cause(&mcp, br#"[{"jsonrpc":"2.0","method":"ping"},7]"#),
        Some(Cause::Schema)
    );
}

#[test]
fn gemini_names_one_model() {
    let head = post(
        "generativelanguage.googleapis.com",
        "/v1beta/models/cheap:embedContent",
    );
    let body = br#"{"model":"models/dear","content":{"parts":[]}}"#;
    assert_eq!(cause(&head, body), Some(Cause::Inconsistent));
}

#[test]
fn a_request_in_another_content_type_is_refused_where_the_host_is_known() {
    let body = br#"{"model":"a","messages":[]}"#;
    for (content_type, expected) in [
        (Some("text/plain"), Cause::UnknownType),
        (None, Cause::UnknownType),
        (Some("application/octet-stream"), Cause::UnknownType),
        (Some("application/json; charset=utf-16"), Cause::UnknownType),
    ] {
        let head = Head {
            content_type,
            ..post("api.openai.com", "/v1/chat/completions")
        };
        assert_eq!(cause(&head, body), Some(expected), "{content_type:?}");
    }
    let head = post("api.openai.com", "/v1/chat/completions");
    assert_eq!(cause(&head, b""), Some(Cause::Empty));
}

/// Any host may have a `/v1/messages` that is no model's.
#[test]
fn a_path_alone_makes_no_request_to_a_model() {
    let head = post("chat.example.com", "/v1/messages");
    assert_eq!(
        read(&head, br#"{"channel":"c","text":"t"}"#).unwrap(),
        "plain\n"
    );
    assert_eq!(
        cause(&head, br#"{"model":"a","text":"t"}"#),
        Some(Cause::Schema),
        "one that names a model must be one"
    );
    let home = post("api.anthropic.com", "/v1/messages");
    assert_eq!(cause(&home, br#"{"channel":"c"}"#), Some(Cause::Schema));
}

#[test]
fn what_reads_without_a_body_has_facts_of_its_path() {
    let head = Head {
        method: "GET",
        content_type: None,
        ..post("api.openai.com", "/v1/responses/resp_9")
    };
    assert_eq!(
        read(&head, b"").unwrap(),
        "openai Responses\ncontext resp_9\n"
    );
}

#[test]
fn webhooks_are_documents_and_sequences_of_them_lines() {
    let hook = post("hooks.slack.com", "/services/T/B/x");
    assert_eq!(read(&hook, br#"{"text":"hi"}"#).unwrap(), "plain\n");
    let lines = Head {
        content_type: Some("application/x-ndjson"),
        ..hook
    };
    assert_eq!(
        read(&lines, b"{\"a\":1}\n\n{\"a\":2}\n").unwrap(),
        "plain\n"
    );
    assert_eq!(
        cause(&lines, b"{\"a\":1}\n{\"a\":1,\"a\":2}"),
        Some(Cause::DuplicateKey)
    );
}

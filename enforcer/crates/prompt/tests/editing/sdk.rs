//! Stripped and blocked answers are read by the vendors' own SDKs.

use std::fs;

use enforcer_prompt::{Item, Ruling};

use super::sdks::{python, said, script};
use super::{ANTHROPIC, Case, OPENAI, case, folder, ruled};

const EXPECTED: &str = r#"chat.sse: get_weather({"city":"Oslo"}) get_time({}) [tool_calls]
chat-only.sse: - [stop]
chat-legacy.sse: - [stop]
chat.json: get_weather({"city":"Oslo"}) [tool_calls]
responses.sse: get_weather({"city":"Oslo"}) get_time({}) [completed]
responses.json: get_weather({"city":"Oslo"}) get_time({}) [completed]
anthropic.sse: get_weather({'city': 'Oslo'}) get_time({}) [tool_use]
anthropic-only.sse: - [end_turn]
anthropic.json: - [end_turn]
gemini.sse: get_weather({'city': 'Oslo'}) [STOP]
gemini-whole.json: get_weather({'city': 'Oslo'}) [-]
"#;

/// What a client gets of an answer that is blocked: what came before, and the refusal.
fn blocked(case: Case) -> Vec<u8> {
    let mut editor = case.editor();
    let mut out = Vec::new();
    let mut judge = |item: &Item<'_>| ruled(item, Ruling::Block);
    editor
        .push(&case.bytes(), &mut judge, &mut out)
        .unwrap_err();
    out.extend(editor.refusal("enforcer_tool_denied", "the tool `delete_user` is denied"));
    out
}

#[test]
fn sdks_read_stripped_answers_and_raise_at_blocked_ones() {
    let Some(mut command) = python() else {
        return;
    };
    let answers = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(folder().join("stripped")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), answers.path().join(entry.file_name())).unwrap();
    }
    for (name, case) in [
        (
            "blocked-chat.sse",
            case("chat.sse", OPENAI, "/v1/chat/completions"),
        ),
        (
            "blocked-responses.sse",
            case("responses.sse", OPENAI, "/v1/responses"),
        ),
        (
            "blocked-anthropic.sse",
            case("anthropic.sse", ANTHROPIC, "/v1/messages"),
        ),
    ] {
        fs::write(answers.path().join(name), blocked(case)).unwrap();
    }
    command.arg(script("editing/accept.py")).arg(answers.path());
    let refused = "the tool `delete_user` is denied";
    let expected = [
        EXPECTED.to_owned(),
        format!("blocked-chat.sse: APIError {refused}\n"),
        format!("blocked-responses.sse: APIError {refused}\n"),
        format!("blocked-anthropic.sse: APIStatusError {refused}\n"),
    ];
    assert_eq!(said(&mut command), expected.concat());
}

//! Stripped and blocked answers are read by the vendors' own SDKs.
//!
//! They are looked for in `target/sdks/venv`, where `cargo xtask test` installs them. Without them the test says so and passes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use enforcer_prompt::Ruling;

use super::{Case, OPENAI, case, folder};

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

fn python() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3)?;
    let python = root.join("target/sdks/venv/bin/python");
    let works = Command::new(&python)
        .args(["-c", "import openai, anthropic, google.genai"])
        .output()
        .is_ok_and(|output| output.status.success());
    works.then_some(python)
}

/// What a client gets of an answer that is blocked: what came before, and the refusal.
fn blocked(case: Case) -> Vec<u8> {
    let mut editor = case.editor();
    let mut out = Vec::new();
    let mut judge = |item: &enforcer_prompt::Item<'_>| {
        if super::forbidden(item) {
            Ruling::Block
        } else {
            Ruling::Keep
        }
    };
    editor
        .push(&case.bytes(), &mut judge, &mut out)
        .unwrap_err();
    out.extend(editor.refusal("enforcer_tool_denied", "the tool `delete_user` is denied"));
    out
}

#[test]
fn sdks_read_stripped_answers_and_raise_at_blocked_ones() {
    let Some(python) = python() else {
        eprintln!("skipped: no Python with the SDKs at target/sdks/venv");
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
            case("anthropic.sse", "api.anthropic.com", "/v1/messages"),
        ),
    ] {
        fs::write(answers.path().join(name), blocked(case)).unwrap();
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/editing/accept.py");
    let output = Command::new(python)
        .arg(script)
        .arg(answers.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complained = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}\n{complained}");
    let refused = "the tool `delete_user` is denied";
    let expected = [
        EXPECTED.to_owned(),
        format!("blocked-chat.sse: APIError {refused}\n"),
        format!("blocked-responses.sse: APIError {refused}\n"),
        format!("blocked-anthropic.sse: APIStatusError {refused}\n"),
    ];
    assert_eq!(said, expected.concat());
}

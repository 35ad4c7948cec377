//! Texts of answers edited while they stream: cut at every byte, split over any number of events, whole.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bounds;
mod editor;
mod goldens;
mod judged;
mod random;
mod sdk;
mod seen;

#[path = "../answers/case.rs"]
mod answers;
#[path = "../answers/sdks.rs"]
mod sdks;

use std::path::PathBuf;

use answers::{ANTHROPIC, Case, GEMINI, GOOGLE, OPENAI, case, contains, shape};
use editor::Numbers;
use enforcer_prompt::{AnswerEditor, Item, Limits, Ruling, Stop};

/// The value that must not be seen.
const VALUE: &str = "123-45-6789";

const CASES: &[Case] = &[
    case("anthropic.json", ANTHROPIC, "/v1/messages"),
    case("anthropic.sse", ANTHROPIC, "/v1/messages"),
    case("assistants.sse", OPENAI, "/v1/threads/t/runs"),
    case("chat.json", OPENAI, "/v1/chat/completions"),
    case("chat.sse", OPENAI, "/v1/chat/completions"),
    case("completions.sse", OPENAI, "/v1/completions"),
    case(
        "gemini-whole.json",
        GOOGLE,
        "/v1beta/models/gemini-2.5-flash:generateContent",
    ),
    case("gemini.json", GOOGLE, GEMINI),
    case("gemini.sse", GOOGLE, GEMINI),
    case("mcp.sse", "mcp.example.com", "/mcp"),
    case("realtime.jsonl", OPENAI, "/v1/realtime"),
    case("responses.json", OPENAI, "/v1/responses"),
    case("responses.sse", OPENAI, "/v1/responses"),
    case("transcription.sse", OPENAI, "/v1/audio/transcriptions"),
];

fn folder() -> PathBuf {
    answers::folder("said")
}

impl Case {
    fn editor(self) -> AnswerEditor {
        AnswerEditor::unjudged(&self.shape(), &Limits::default(), Numbers::boxed())
    }

    fn edit<'c>(self, chunks: impl IntoIterator<Item = &'c [u8]>) -> (Vec<u8>, Result<(), Stop>) {
        edit(self.editor(), chunks)
    }

    /// What goes out, the messages of a WebSocket one a line.
    fn masked(self) -> Vec<u8> {
        let bytes = self.bytes();
        if self.name.ends_with(".jsonl") {
            return messages(self.editor(), &String::from_utf8(bytes).unwrap());
        }
        let (out, result) = self.edit([&bytes[..]]);
        assert_eq!(result, Ok(()), "{}", self.name);
        out
    }
}

/// Keeps everything.
fn keep(_: &Item<'_>) -> Ruling {
    Ruling::Keep
}

fn edit<'c>(
    mut editor: AnswerEditor,
    chunks: impl IntoIterator<Item = &'c [u8]>,
) -> (Vec<u8>, Result<(), Stop>) {
    answers::edit(&mut editor, chunks, &mut keep)
}

fn messages(mut editor: AnswerEditor, lines: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for line in lines.lines() {
        editor.message(line, &mut keep, &mut out).unwrap();
    }
    out.iter()
        .flat_map(|line| [line.as_bytes(), b"\n"].concat())
        .collect()
}

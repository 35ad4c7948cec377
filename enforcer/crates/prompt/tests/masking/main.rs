//! Texts of answers edited while they stream: cut at every byte, split over any number of events, whole.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bounds;
mod editor;
mod goldens;
mod judged;
mod random;
mod sdk;
mod seen;

use std::fs;
use std::path::{Path, PathBuf};

use editor::Numbers;
use enforcer_prompt::{
    AnswerEditor, AnswerHead, Head, Item, Limits, Ruling, Shape, Stop, recognise,
};

/// The value that must not be seen.
const VALUE: &str = "123-45-6789";

/// An answer's file, and the host and the path whose answer it is.
#[derive(Clone, Copy, Debug)]
struct Case {
    name: &'static str,
    host: &'static str,
    path: &'static str,
}

const fn case(name: &'static str, host: &'static str, path: &'static str) -> Case {
    Case { name, host, path }
}

const ANTHROPIC: &str = "api.anthropic.com";
const OPENAI: &str = "api.openai.com";
const GOOGLE: &str = "generativelanguage.googleapis.com";
const GEMINI: &str = "/v1beta/models/gemini-2.5-flash:streamGenerateContent";

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
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/said")
}

impl Case {
    fn bytes(self) -> Vec<u8> {
        fs::read(folder().join(self.name)).unwrap()
    }

    fn shape(self) -> Shape {
        shape((self.host, self.path), self.name.ends_with(".sse"))
    }

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

fn shape((host, path): (&str, &str), events: bool) -> Shape {
    let request = recognise(&Head {
        host,
        method: "POST",
        path,
        content_type: Some("application/json"),
        mcp: path == "/mcp",
        websocket: path == "/v1/realtime",
        ..Head::default()
    });
    request.answer(&AnswerHead {
        status: 200,
        content_type: Some(if events {
            "text/event-stream; charset=utf-8"
        } else {
            "application/json"
        }),
    })
}

/// Keeps everything.
fn keep(_: &Item<'_>) -> Ruling {
    Ruling::Keep
}

fn edit<'c>(
    mut editor: AnswerEditor,
    chunks: impl IntoIterator<Item = &'c [u8]>,
) -> (Vec<u8>, Result<(), Stop>) {
    let mut out = Vec::new();
    let mut result = chunks
        .into_iter()
        .try_for_each(|chunk| editor.push(chunk, &mut keep, &mut out));
    if result.is_ok() {
        result = editor.finish(&mut keep, &mut out);
    }
    (out, result)
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

fn contains(bytes: &[u8], what: &str) -> bool {
    bytes
        .windows(what.len())
        .any(|window| window == what.as_bytes())
}

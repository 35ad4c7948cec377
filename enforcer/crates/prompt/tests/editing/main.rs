//! Answers edited while they stream: cut at every byte, kept, stripped and blocked.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod contradictions;
mod hearing;
mod sdk;
mod streams;
mod tallies;

use std::fs;
use std::path::{Path, PathBuf};

use enforcer_prompt::{
    AnswerEditor, AnswerHead, Arguments, Head, Item, Limits, Ruling, Shape, Stop, Tally, recognise,
};

/// The call that judges of these tests do not like.
const FORBIDDEN: &str = "delete_user";

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

const OPENAI: &str = "api.openai.com";
const GOOGLE: &str = "generativelanguage.googleapis.com";
const GEMINI: &str = "/v1beta/models/gemini-2.5-flash:streamGenerateContent";

/// Answers with calls that are taken out by stripping.
const CASES: &[Case] = &[
    case("anthropic-only.sse", "api.anthropic.com", "/v1/messages"),
    case("anthropic.json", "api.anthropic.com", "/v1/messages"),
    case("anthropic.sse", "api.anthropic.com", "/v1/messages"),
    case("chat-choices.sse", OPENAI, "/v1/chat/completions"),
    case("chat-legacy.sse", OPENAI, "/v1/chat/completions"),
    case("chat-only.sse", OPENAI, "/v1/chat/completions"),
    case("chat.json", OPENAI, "/v1/chat/completions"),
    case("chat.sse", OPENAI, "/v1/chat/completions"),
    case(
        "gemini-whole.json",
        GOOGLE,
        "/v1beta/models/gemini-2.5-flash:generateContent",
    ),
    case("gemini.json", GOOGLE, GEMINI),
    case("gemini.sse", GOOGLE, GEMINI),
    case("mcp-batch.json", "mcp.example.com", "/mcp"),
    case("mcp.json", "mcp.example.com", "/mcp"),
    case("mcp.sse", "mcp.example.com", "/mcp"),
    case("responses.json", OPENAI, "/v1/responses"),
    case("responses.sse", OPENAI, "/v1/responses"),
];

/// What came of an answer.
#[derive(Debug, PartialEq)]
struct Edited {
    out: Vec<u8>,
    result: Result<(), Stop>,
    asked: Vec<String>,
    tally: Tally,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/answers")
}

impl Case {
    fn bytes(self) -> Vec<u8> {
        fs::read(folder().join(self.name)).unwrap()
    }

    fn shape(self) -> Shape {
        let request = recognise(&Head {
            host: self.host,
            method: "POST",
            path: self.path,
            content_type: Some("application/json"),
            mcp: self.path == "/mcp",
            ..Head::default()
        });
        request.answer(&AnswerHead {
            status: 200,
            content_type: Some(if self.name.ends_with(".sse") {
                "text/event-stream; charset=utf-8"
            } else {
                "application/json"
            }),
        })
    }

    fn editor(self) -> AnswerEditor {
        AnswerEditor::new(&self.shape(), &Limits::default()).unwrap()
    }

    /// Edits chunks, with a judge that rules `ruling` on what is forbidden.
    fn edit<'c>(self, chunks: impl IntoIterator<Item = &'c [u8]>, ruling: Ruling) -> Edited {
        let mut editor = self.editor();
        let mut out = Vec::new();
        let mut asked = Vec::new();
        let mut judge = |item: &Item<'_>| {
            asked.push(shown(item));
            if forbidden(item) {
                ruling
            } else {
                Ruling::Keep
            }
        };
        let mut result = chunks
            .into_iter()
            .try_for_each(|chunk| editor.push(chunk, &mut judge, &mut out));
        if result.is_ok() {
            result = editor.finish(&mut judge, &mut out);
        }
        Edited {
            out,
            result,
            asked,
            tally: editor.tally().clone(),
        }
    }
}

fn forbidden(item: &Item<'_>) -> bool {
    match item {
        Item::Call(call) => call.name == FORBIDDEN,
        Item::Listed(tool) => tool.name == FORBIDDEN,
        Item::Result(text) | Item::Said(text) => text.contains(FORBIDDEN),
    }
}

fn shown(item: &Item<'_>) -> String {
    match item {
        Item::Call(call) => {
            let arguments = match call.arguments {
                Arguments::Text(text) => text.to_owned(),
                Arguments::Value(value) => format!("<{}>", value.kind()),
            };
            format!("{} {} {arguments}", call.kind.as_str(), call.name)
        }
        Item::Listed(tool) => format!("listed {}", tool.name),
        Item::Result(text) => format!("result {text}"),
        Item::Said(text) => format!("said {text}"),
    }
}

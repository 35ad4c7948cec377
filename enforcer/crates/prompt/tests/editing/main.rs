//! Answers edited while they stream: cut at every byte, kept, stripped and blocked.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod contradictions;
mod hearing;
mod sdk;
mod streams;
mod tallies;

#[path = "../answers/case.rs"]
mod answers;
#[path = "../answers/sdks.rs"]
mod sdks;

use std::path::PathBuf;

use answers::{ANTHROPIC, Case, GEMINI, GOOGLE, OPENAI, case, contains};
use enforcer_prompt::{AnswerEditor, Arguments, Item, Limits, Ruling, Stop, Tally};

/// The call that judges of these tests do not like.
const FORBIDDEN: &str = "delete_user";

/// Answers with calls that are taken out by stripping.
const CASES: &[Case] = &[
    case("anthropic-only.sse", ANTHROPIC, "/v1/messages"),
    case("anthropic.json", ANTHROPIC, "/v1/messages"),
    case("anthropic.sse", ANTHROPIC, "/v1/messages"),
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
    answers::folder("answers")
}

impl Case {
    fn editor(self) -> AnswerEditor {
        AnswerEditor::new(&self.shape(), &Limits::default()).unwrap()
    }

    /// Edits chunks, with a judge that rules `ruling` on what is forbidden.
    fn edit<'c>(self, chunks: impl IntoIterator<Item = &'c [u8]>, ruling: Ruling) -> Edited {
        let mut editor = self.editor();
        let mut asked = Vec::new();
        let mut judge = |item: &Item<'_>| {
            asked.push(shown(item));
            ruled(item, ruling)
        };
        let (out, result) = answers::edit(&mut editor, chunks, &mut judge);
        Edited {
            out,
            result,
            asked,
            tally: editor.tally().clone(),
        }
    }
}

/// `ruling` on what is forbidden, and all else is kept.
fn ruled(item: &Item<'_>, ruling: Ruling) -> Ruling {
    if forbidden(item) {
        ruling
    } else {
        Ruling::Keep
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

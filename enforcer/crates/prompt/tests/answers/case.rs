//! Answers that lie in files of `data`, and what they are answers to.

use std::fs;
use std::path::{Path, PathBuf};

use enforcer_prompt::{AnswerEditor, AnswerHead, Head, Judge, Shape, Stop, recognise};

pub(crate) const ANTHROPIC: &str = "api.anthropic.com";
pub(crate) const OPENAI: &str = "api.openai.com";
pub(crate) const GOOGLE: &str = "generativelanguage.googleapis.com";
pub(crate) const GEMINI: &str = "/v1beta/models/gemini-2.5-flash:streamGenerateContent";

/// An answer's file, and the host and the path whose answer it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) host: &'static str,
    pub(crate) path: &'static str,
}

pub(crate) const fn case(name: &'static str, host: &'static str, path: &'static str) -> Case {
    Case { name, host, path }
}

impl Case {
    pub(crate) fn bytes(self) -> Vec<u8> {
        fs::read(super::folder().join(self.name)).unwrap()
    }

    pub(crate) fn shape(self) -> Shape {
        shape((self.host, self.path), self.name.ends_with(".sse"))
    }
}

pub(crate) fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name)
}

pub(crate) fn shape((host, path): (&str, &str), events: bool) -> Shape {
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

/// What comes out of an answer that comes in these chunks, and how it ends.
pub(crate) fn edit<'c>(
    editor: &mut AnswerEditor,
    chunks: impl IntoIterator<Item = &'c [u8]>,
    judge: &mut impl Judge,
) -> (Vec<u8>, Result<(), Stop>) {
    let mut out = Vec::new();
    let result = chunks
        .into_iter()
        .try_for_each(|chunk| editor.push(chunk, judge, &mut out))
        .and_then(|()| editor.finish(judge, &mut out));
    (out, result)
}

pub(crate) fn contains(bytes: &[u8], what: &str) -> bool {
    bytes
        .windows(what.len())
        .any(|window| window == what.as_bytes())
}

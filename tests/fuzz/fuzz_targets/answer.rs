//! An answer of any interface, cut anywhere: kept it is itself, stripped it is the same however it was cut, blocked it is a
//! beginning of itself. Masked it is the same however it was cut, judged or not, and itself where there is nothing to mask.

#![no_main]

use enforcer_prompt::{
    AnswerEditor, AnswerHead, Head, Item, Limits, Ruling, Shape, Stop, Text, TextEditor, Texts,
    edit_message, recognise,
};
use libfuzzer_sys::fuzz_target;

const HEADS: &[(&str, &str)] = &[
    ("api.openai.com", "/v1/chat/completions"),
    ("api.openai.com", "/v1/responses"),
    ("api.openai.com", "/v1/threads/t/runs"),
    ("api.openai.com", "/v1/embeddings"),
    ("api.anthropic.com", "/v1/messages"),
    (
        "generativelanguage.googleapis.com",
        "/v1beta/models/g:streamGenerateContent",
    ),
    ("mcp.example.com", "/mcp"),
    ("api.openai.com", "/v1/completions"),
    ("api.openai.com", "/v1/audio/transcriptions"),
    ("any.example.com", "/stream"),
];

fuzz_target!(|input: (u8, bool, u16, &[u8])| {
    let (place, events, cut, bytes) = input;
    let (host, path) = HEADS[place as usize % HEADS.len()];
    let shape = recognise(&Head {
        host,
        method: "POST",
        path,
        mcp: path == "/mcp",
        ..Head::default()
    })
    .answer(&AnswerHead {
        status: 200,
        content_type: Some(if events {
            "text/event-stream"
        } else {
            "application/json"
        }),
    });
    let (one, other) = bytes.split_at(cut as usize % (bytes.len() + 1));
    for ruling in [Ruling::Keep, Ruling::Strip, Ruling::Block] {
        let whole = edit(&shape, &[bytes], ruling);
        assert_eq!(edit(&shape, &[one, other], ruling), whole, "the cut shows");
        let (out, result) = whole;
        if ruling != Ruling::Strip {
            assert!(bytes.starts_with(&out), "other bytes came out");
        }
        if ruling == Ruling::Keep && result.is_ok() {
            assert_eq!(out, bytes, "something is missing");
        }
    }
    for judged in [false, true] {
        let whole = mask(&shape, &[bytes], judged);
        assert_eq!(mask(&shape, &[one, other], judged), whole, "the cut shows");
        let (out, result) = whole;
        let digits = bytes.iter().any(u8::is_ascii_digit);
        if !digits && result.is_ok() {
            assert_eq!(out, bytes, "other bytes came out");
        }
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let edited = edit_message(text, &Limits::default(), Box::new(Digits));
        if let Ok(Some(edited)) = edited {
            assert!(serde_json::from_str::<serde_json::Value>(&edited).is_ok());
        }
    }
});

fn mask(shape: &Shape, chunks: &[&[u8]], judged: bool) -> (Vec<u8>, Result<(), Stop>) {
    let limits = Limits::default();
    let editor = AnswerEditor::new(shape, &limits).filter(|_| judged);
    let mut editor =
        editor.unwrap_or_else(|| AnswerEditor::unjudged(shape, &limits, Box::new(Digits)));
    if judged {
        editor.mask(Box::new(Digits));
    }
    push(editor, chunks, Ruling::Keep)
}

/// Puts a letter in the place of every four digits in a row.
#[derive(Debug)]
struct Digits;

#[derive(Debug, Default)]
struct Held(String);

impl Texts for Digits {
    fn open(&mut self, _: &Text<'_>) -> Box<dyn TextEditor> {
        Box::new(Held::default())
    }
}

impl TextEditor for Held {
    fn push(&mut self, text: &str, out: &mut String) -> Result<(), Stop> {
        for c in text.chars() {
            if !c.is_ascii_digit() {
                out.push_str(&std::mem::take(&mut self.0));
                out.push(c);
                continue;
            }
            self.0.push(c);
            if self.0.len() == 4 {
                self.0.clear();
                // What stands in for a number must be one.
                out.push('7');
            }
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut String) -> Result<(), Stop> {
        out.push_str(&std::mem::take(&mut self.0));
        Ok(())
    }

    fn held(&self) -> usize {
        self.0.len()
    }
}

fn edit(shape: &Shape, chunks: &[&[u8]], ruling: Ruling) -> (Vec<u8>, Result<(), Stop>) {
    match AnswerEditor::new(shape, &Limits::default()) {
        Some(editor) => push(editor, chunks, ruling),
        None => (chunks.concat(), Ok(())),
    }
}

fn push(mut editor: AnswerEditor, chunks: &[&[u8]], ruling: Ruling) -> (Vec<u8>, Result<(), Stop>) {
    let mut out = Vec::new();
    let mut judge = |_: &Item<'_>| ruling;
    let result = chunks
        .iter()
        .try_for_each(|chunk| editor.push(chunk, &mut judge, &mut out))
        .and_then(|()| editor.finish(&mut judge, &mut out));
    (out, result)
}

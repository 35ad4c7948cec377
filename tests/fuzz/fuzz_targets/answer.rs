//! An answer of any interface, cut anywhere: kept it is itself, stripped it is the same however it was cut, blocked it is a
//! beginning of itself.

#![no_main]

use enforcer_prompt::{
    AnswerEditor, AnswerHead, Head, Item, Limits, Ruling, Shape, Stop, recognise,
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
});

fn edit(shape: &Shape, chunks: &[&[u8]], ruling: Ruling) -> (Vec<u8>, Result<(), Stop>) {
    let mut out = Vec::new();
    let Some(mut editor) = AnswerEditor::new(shape, &Limits::default()) else {
        return (chunks.concat(), Ok(()));
    };
    let mut judge = |_: &Item<'_>| ruling;
    let result = chunks
        .iter()
        .try_for_each(|chunk| editor.push(chunk, &mut judge, &mut out))
        .and_then(|()| editor.finish(&mut judge, &mut out));
    (out, result)
}

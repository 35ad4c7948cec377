//! How long reading takes: microseconds, the median of rounds and the fastest of them, which other load disturbs least.
//! `cargo run --release --example measure -p enforcer-prompt`.

use std::hint::black_box;
use std::time::Instant;

use enforcer_prompt::{
    AnswerEditor, AnswerHead, Body, Head, Item, Limits, Ruling, Shape, recognise,
};

const ROUNDS: usize = 41;
const EACH: u32 = 1_000;

fn main() {
    let request = recognise(&head());
    let question = question();
    let answer = answer();
    let rows = [
        (
            "recognise",
            0,
            median(|| drop(black_box(recognise(&head())))),
        ),
        (
            "request of a chat",
            question.len(),
            median(|| read(&request, question.as_bytes())),
        ),
        (
            "streamed answer, all kept",
            answer.len(),
            median(|| edit(&request, answer.as_bytes(), Ruling::Keep)),
        ),
        (
            "streamed answer, calls taken out",
            answer.len(),
            median(|| edit(&request, answer.as_bytes(), Ruling::Strip)),
        ),
    ];
    #[expect(
        clippy::print_stdout,
        reason = "the report is what this program is for"
    )]
    for (what, bytes, (median, fastest)) in rows {
        println!("{what:34} {bytes:6} bytes {median:8.2} µs ({fastest:.2})");
    }
}

/// Microseconds of one run: the median of rounds, and the fastest.
fn median(mut run: impl FnMut()) -> (f64, f64) {
    let mut rounds: Vec<_> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..EACH {
                run();
            }
            start.elapsed().as_secs_f64() * 1e6 / f64::from(EACH)
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    let at = |index: usize| rounds.get(index).copied().unwrap_or_default();
    (at(ROUNDS / 2), at(0))
}

fn head() -> Head<'static> {
    Head {
        host: "api.openai.com",
        method: "POST",
        path: "/v1/chat/completions",
        content_type: Some("application/json"),
        ..Head::default()
    }
}

fn read(shape: &Shape, bytes: &[u8]) {
    let limits = Limits::default();
    match Body::parse(shape, bytes, &limits) {
        Ok(body) => drop(black_box(body.content(shape, &limits))),
        Err(error) => drop(black_box(error)),
    }
}

fn edit(shape: &Shape, bytes: &[u8], ruling: Ruling) {
    let shape = shape.answer(&AnswerHead {
        status: 200,
        content_type: Some("text/event-stream"),
    });
    let Some(mut editor) = AnswerEditor::new(&shape, &Limits::default()) else {
        return;
    };
    let mut judge = |_: &Item<'_>| ruling;
    let mut out = Vec::with_capacity(bytes.len());
    for chunk in bytes.chunks(1_400) {
        let _ = black_box(editor.push(chunk, &mut judge, &mut out));
    }
    let _ = black_box(editor.finish(&mut judge, &mut out));
}

/// About two KiB: a system prompt, a turn with a tool, a question.
fn question() -> String {
    let system = "You are a careful assistant of a shop.\\nAnswer briefly. ".repeat(12);
    let asked = "How many \\\"red\\\" shirts did we sell last week in Oslo? ".repeat(8);
    format!(
        r#"{{"model":"gpt-4o","stream":true,"temperature":0.2,"messages":[{{"role":"system","content":"{system}"}},{{"role":"user","content":"{asked}"}},{{"role":"assistant","content":null,"tool_calls":[{{"id":"call_1","type":"function","function":{{"name":"query","arguments":"{{\"sql\":\"select 1\"}}"}}}}]}},{{"role":"tool","tool_call_id":"call_1","content":"42"}}],"tools":[{{"type":"function","function":{{"name":"query","description":"Asks the shop","parameters":{{"type":"object","properties":{{"sql":{{"type":"string"}}}}}}}}}}]}}"#
    )
}

/// Forty events of text and ten of a call.
fn answer() -> String {
    let event = |delta: &str| {
        format!(
            "data: {{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"gpt-4o\",\"choices\":[{{\"index\":0,\"delta\":{delta},\"finish_reason\":null}}]}}\n\n"
        )
    };
    let mut stream: String = (0..40).map(|_| event(r#"{"content":" word"}"#)).collect();
    stream.push_str(&event(
        r#"{"tool_calls":[{"index":0,"id":"c","type":"function","function":{"name":"query","arguments":""}}]}"#,
    ));
    for _ in 0..9 {
        stream.push_str(&event(
            r#"{"tool_calls":[{"index":0,"function":{"arguments":"x"}}]}"#,
        ));
    }
    stream.push_str(
        &event("{}").replace("\"finish_reason\":null", "\"finish_reason\":\"tool_calls\""),
    );
    stream.push_str("data: [DONE]\n\n");
    stream
}

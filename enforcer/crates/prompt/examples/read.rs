//! How long reading takes: microseconds, the median of rounds and the fastest of them, which other load disturbs least.
//! `cargo run --release --example read -p enforcer-prompt`.

use std::hint::black_box;
use std::time::Instant;

use enforcer_prompt::{
    AnswerEditor, AnswerHead, Body, Head, Item, Limits, Ruling, Shape, Stop, Text, TextEditor,
    Texts, recognise,
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
    for (what, bytes, (median, fastest)) in rows {
        print(
            what,
            &format!("{bytes:6} bytes {median:8.2} µs ({fastest:.2})"),
        );
    }
    let editors: [(&str, Editor); 3] = [
        ("an event, texts edited", |shape| {
            AnswerEditor::unjudged(shape, &Limits::default(), Box::new(Digits))
        }),
        ("an event, judged", |shape| judged(shape, false)),
        ("an event, judged and edited", |shape| judged(shape, true)),
    ];
    for (words, what) in [(" word", "of words"), (" 4", "of digits, held")] {
        let answer = answer.replace(" word", words);
        for (name, editor) in &editors {
            let (p50, p99) = each(&request, &answer, editor);
            print(
                &format!("{name}, {what}"),
                &format!("{p50:8.2} µs at p50, {p99:.2} at p99"),
            );
        }
    }
}

#[expect(
    clippy::print_stdout,
    reason = "the report is what this program is for"
)]
fn print(what: &str, took: &str) {
    println!("{what:44} {took}");
}

/// Makes an editor of answers of a shape.
type Editor = fn(&Shape) -> AnswerEditor;

fn judged(shape: &Shape, masks: bool) -> AnswerEditor {
    let limits = Limits::default();
    let editor = AnswerEditor::new(shape, &limits);
    let mut editor =
        editor.unwrap_or_else(|| AnswerEditor::unjudged(shape, &limits, Box::new(Digits)));
    if masks {
        editor.mask(Box::new(Digits));
    }
    editor
}

/// Microseconds that an event takes.
fn each(shape: &Shape, answer: &str, editor: &Editor) -> (f64, f64) {
    let shape = shape.answer(&AnswerHead {
        status: 200,
        content_type: Some("text/event-stream"),
    });
    let mut took = Vec::new();
    let mut out = Vec::with_capacity(answer.len());
    for _ in 0..EACH {
        let mut editor = editor(&shape);
        out.clear();
        for event in answer.split_inclusive("\n\n") {
            let start = Instant::now();
            let _ = black_box(editor.push(event.as_bytes(), &mut keep, &mut out));
            took.push(start.elapsed().as_secs_f64() * 1e6);
        }
        let _ = black_box(editor.finish(&mut keep, &mut out));
    }
    took.sort_by(f64::total_cmp);
    let at = |part: usize| took.get(took.len() * part / 100).copied();
    (at(50).unwrap_or_default(), at(99).unwrap_or_default())
}

fn keep(_: &Item<'_>) -> Ruling {
    Ruling::Keep
}

/// Edits next to nothing, so that what is around it shows: holds digits until something else comes.
#[derive(Debug, Default)]
struct Digits;

/// What is held of a text.
#[derive(Debug, Default)]
struct Held(String);

impl Texts for Digits {
    fn open(&mut self, _: &Text<'_>) -> Box<dyn TextEditor> {
        Box::new(Held::default())
    }
}

impl TextEditor for Held {
    fn push(&mut self, text: &str, out: &mut String) -> Result<(), Stop> {
        self.0.push_str(text);
        let safe = self.0.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        out.push_str(self.0.get(..safe).unwrap_or_default());
        self.0.drain(..safe);
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

//! What an answer may hold, and what ends it.

use enforcer_prompt::{
    AnswerEditor, Cause, Form, Limits, Stop, Text, TextEditor, Texts, Undecidable, edit_message,
};
use serde_json::{Value, json};

use super::editor::Numbers;
use super::{ANTHROPIC, GEMINI, GOOGLE, OPENAI, VALUE, contains, edit, shape};

const CHAT: (&str, &str) = (OPENAI, "/v1/chat/completions");

fn chunk(choice: u64, text: &str) -> String {
    let delta = json!({"content": text});
    let choice = json!({"index": choice, "delta": delta, "finish_reason": null});
    format!("data: {}\n\n", json!({"id": "c", "choices": [choice]}))
}

fn finish(choice: u64) -> String {
    let choice = json!({"index": choice, "delta": {}, "finish_reason": "stop"});
    format!("data: {}\n\n", json!({"id": "c", "choices": [choice]}))
}

fn masked(stream: &str, limits: &Limits) -> (String, Result<(), Stop>) {
    let editor = AnswerEditor::unjudged(&shape(CHAT, true), limits, Numbers::boxed());
    let (out, result) = edit(editor, [stream.as_bytes()]);
    (String::from_utf8(out).unwrap(), result)
}

fn cause(result: Result<(), Stop>) -> Option<Cause> {
    match result {
        Err(Stop::Undecidable(Undecidable { cause, .. })) => Some(cause),
        Err(Stop::Blocked) | Ok(()) => None,
    }
}

/// Holds everything until the end.
#[derive(Debug, Default)]
struct Hoarder(String);

/// Makes them.
#[derive(Debug)]
struct Hoarders;

impl Texts for Hoarders {
    fn open(&mut self, _: &Text<'_>) -> Box<dyn TextEditor> {
        Box::new(Hoarder::default())
    }
}

impl TextEditor for Hoarder {
    fn push(&mut self, text: &str, _: &mut String) -> Result<(), Stop> {
        self.0.push_str(text);
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

/// Whatever editors want to hold, over all texts it is bounded, and more ends the answer.
#[test]
fn what_is_held_of_all_texts_is_bounded() {
    let limits = Limits::default();
    let shape = shape(CHAT, true);
    for choices in [1, 7] {
        let mut editor = AnswerEditor::unjudged(&shape, &limits, Box::new(Hoarders));
        let mut out = Vec::new();
        let mut pushed = 0;
        let stop = (0..10_000).find_map(|number| {
            let event = chunk(number % choices, "word word word word word word ");
            pushed += 30;
            editor
                .push(event.as_bytes(), &mut super::keep, &mut out)
                .err()
        });
        assert_eq!(cause(stop.map_or(Ok(()), Err)), Some(Cause::TooLarge));
        assert!(pushed <= limits.text + 30, "{pushed} bytes were held");
        assert!(!contains(&out, "word"));
    }
}

#[test]
fn texts_are_no_more_than_parts() {
    let limits = Limits {
        parts: 8,
        ..Limits::default()
    };
    let stream: String = (0..8).map(|choice| chunk(choice, "a 1")).collect();
    assert_eq!(masked(&stream, &limits).1, Ok(()));
    let (out, result) = masked(&(stream + &chunk(8, "one more")), &limits);
    assert_eq!(cause(result), Some(Cause::TooMany));
    assert!(!out.contains("one more"));
    // Those that have ended count.
    let stream: String = (0..9).map(|it| chunk(it, "a") + &finish(it)).collect();
    assert_eq!(cause(masked(&stream, &limits).1), Some(Cause::TooMany));
}

/// Responses of a session that go on at once, and what a person says meanwhile, end by themselves.
#[test]
fn responses_at_once_are_told_apart() {
    let delta = |response: &str, text: &str| {
        json!({"type": "response.output_text.delta", "event_id": "e", "response_id": response,
            "item_id": format!("item_{response}"), "output_index": 0, "content_index": 0, "delta": text})
    };
    let heard = |text: &str| {
        json!({"type": "conversation.item.input_audio_transcription.delta", "item_id": "u",
            "content_index": 0, "delta": text})
    };
    let events = [
        heard("is 123-"),
        delta("a", "one 123-45"),
        delta("b", "two 12"),
        json!({"type": "conversation.item.done", "item": {"id": "u", "type": "message"}}),
        json!({"type": "response.done", "response": {"id": "b", "output": []}}),
        heard("45-6789"),
        delta("a", "-6789"),
        json!({"type": "response.done", "response": {"id": "a", "output": []}}),
        // Another one, of which an item has the same name.
        delta("a", "three"),
    ];
    let shape = shape((OPENAI, "/v1/realtime"), false);
    let mut editor = AnswerEditor::unjudged(&shape, &Limits::default(), Numbers::boxed());
    let mut out = Vec::new();
    for event in &events {
        editor
            .message(&event.to_string(), &mut super::keep, &mut out)
            .unwrap();
    }
    let said: Vec<Value> = out
        .iter()
        .map(|it| serde_json::from_str(it).unwrap())
        .collect();
    let texts: Vec<_> = said.iter().filter_map(|it| it["delta"].as_str()).collect();
    let expected = [
        "is ",
        "one ",
        "two ",
        "12",
        "<\"SSN\">",
        "<\"SSN\">",
        "three",
    ];
    assert_eq!(texts, expected);
}

/// Not even empty ones in one event, because each has to be looked for among the others.
#[test]
fn an_event_has_no_more_pieces_than_parts() {
    let pieces = |count: usize| {
        let choice = json!({"index": 0, "delta": {"content": ""}, "finish_reason": null});
        format!("data: {}\n\n", json!({"choices": vec![choice; count]}))
    };
    let limits = Limits::default();
    assert_eq!(masked(&pieces(limits.parts), &limits).1, Ok(()));
    let (_, result) = masked(&pieces(limits.parts + 1), &limits);
    assert_eq!(cause(result), Some(Cause::TooMany));
}

/// Some send calls without an index, each whole: they are told apart by their ids.
#[test]
fn calls_without_an_index_are_texts_of_their_own() {
    let call = |id: &str, arguments: &str| {
        let call = json!({"id": id, "function": {"name": "f", "arguments": arguments}});
        let choice = json!({"index": 0, "delta": {"tool_calls": [call]}, "finish_reason": null});
        format!("data: {}\n\n", json!({"id": "c", "choices": [choice]}))
    };
    let stream = call("a", "{\"a\":\"123-45") + &call("b", "-6789\"}") + &finish(0);
    let (out, result) = masked(&stream, &Limits::default());
    assert_eq!(result, Ok(()));
    assert!(
        out.contains("\"arguments\":\"123-45\"") && out.contains("-6789"),
        "{out}"
    );
    let call = "\"tool_calls\":[{\"function\":{\"arguments\":\"123-45\"},\"id\":\"a\"}]";
    assert!(out.contains(call), "{out}");
}

/// What stands in for keys may be one word for several; it is a document all the same.
#[test]
fn documents_stay_documents() {
    let result =
        json!({"structuredContent": {"123-45-6789": 1, "123-45-6780": {"a": "123-45-6789"}}});
    let stream = format!(
        "data: {}\n\n",
        json!({"jsonrpc": "2.0", "id": 1, "result": result})
    );
    let shape = shape(("mcp.example.com", "/mcp"), true);
    let editor = AnswerEditor::unjudged(&shape, &Limits::default(), Numbers::boxed());
    let (out, result) = edit(editor, [stream.as_bytes()]);
    assert_eq!(result, Ok(()));
    let out = String::from_utf8(out).unwrap();
    assert_eq!(out.matches("SSN").count(), 3, "{out}");
    serde_json::from_str::<Value>(out.trim().strip_prefix("data: ").unwrap()).unwrap();
}

/// The second half of a value is not taken for a text of its own.
#[test]
fn a_text_that_goes_on_after_its_end_ends_the_answer() {
    let stream = chunk(0, "123-45") + &finish(0);
    let (out, result) = masked(&stream, &Limits::default());
    assert_eq!(result, Ok(()));
    assert!(out.contains("123-45"), "no value: {out}");
    let (out, result) = masked(&(stream + &chunk(0, "-6789")), &Limits::default());
    assert_eq!(cause(result), Some(Cause::Inconsistent));
    assert!(!out.contains("6789"), "{out}");
}

/// An editor that fails lets nothing more out, and nothing of the event that it failed at.
#[test]
fn an_error_in_an_editor_ends_the_answer() {
    let texts = Numbers::stopping();
    let stream = chunk(0, "My number: 123-") + &chunk(0, "45-6789, ok") + &chunk(1, "more");
    let mut editor = AnswerEditor::unjudged(&shape(CHAT, true), &Limits::default(), texts);
    let mut out = Vec::new();
    let stopped = editor.push(stream.as_bytes(), &mut super::keep, &mut out);
    assert_eq!(stopped, Err(Stop::Blocked));
    assert_eq!(
        String::from_utf8(out.clone()).unwrap(),
        chunk(0, "My number: ")
    );
    assert_eq!(
        editor.finish(&mut super::keep, &mut out),
        Err(Stop::Blocked)
    );
    let refusal = editor.refusal("enforcer_masked", "no");
    assert!(contains(&refusal, "enforcer_masked"));
}

/// What is no document ends the answer of an interface whose events are documents.
#[test]
fn what_cannot_be_read_is_not_passed() {
    for stream in [
        "data: 123-45-6789\n\n",
        "data: {\"choices\":[{\"delta\":{\"content\":\"\\ud83d\"}}]}\n\n",
        "data: {\"a\":\"123-45-6789\",\"a\":1}\n\n",
    ] {
        let (out, result) = masked(stream, &Limits::default());
        assert!(cause(result).is_some(), "{stream}");
        assert!(out.is_empty(), "{out}");
    }
}

/// Of an interface that nobody knows, what its events look like tells; else each is edited by itself.
#[test]
fn events_of_unknown_interfaces_are_edited_too() {
    let other = ("example.com", "/stream");
    let stream = [
        "data: plain 123-45-6789\n\n".to_owned(),
        "event: x\nid: 123-45-6789\ndata: {\"any\":{\"id\":\"123-45-6789\"},\"b\":\"123-45-6789\"}\n\n".to_owned(),
        chunk(0, "a 123-45-"),
        chunk(0, "6789"),
        "data: first 123-45-6789\ndata: second\n\n".to_owned(),
    ]
    .concat();
    let limits = Limits::default();
    let editor = AnswerEditor::unjudged(&shape(other, true), &limits, Numbers::boxed());
    let (out, result) = edit(editor, stream.as_bytes().chunks(7));
    assert_eq!(result, Ok(()));
    let out = String::from_utf8(out).unwrap();
    assert!(!out.contains(VALUE) && !out.contains("6789"), "{out}");
    assert_eq!(out.matches("SSN").count(), 6, "{out}");
}

/// Arguments that come in pieces of their own, as Gemini can send them.
#[test]
fn arguments_in_pieces_are_one_text() {
    let event = |value: &str, goes_on: bool| {
        let piece = json!({"jsonPath": "$.ssn", "stringValue": value, "willContinue": goes_on});
        let call = json!({"name": "store", "partialArgs": [piece], "willContinue": true});
        let content = json!({"role": "model", "parts": [{"functionCall": call}]});
        format!(
            "data: {}\n\n",
            json!({"candidates": [{"content": content}]})
        )
    };
    let end = json!({"functionCall": {}});
    let end = json!({"candidates": [{"content": {"role": "model", "parts": [end]}}]});
    let stream = event("no 123", true) + &event("-45-67", true) + &event("89 or 1", false);
    let stream = format!("{stream}data: {end}\n\n");
    let limits = Limits::default();
    let editor = AnswerEditor::unjudged(&shape((GOOGLE, GEMINI), true), &limits, Numbers::boxed());
    let (out, result) = edit(editor, [stream.as_bytes()]);
    assert_eq!(result, Ok(()));
    let out = String::from_utf8(out).unwrap();
    let said: Vec<_> = out
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line.strip_prefix("data: ")?).ok())
        .filter_map(|event| {
            let part = &event["candidates"][0]["content"]["parts"][0];
            let piece = &part["functionCall"]["partialArgs"][0]["stringValue"];
            piece.as_str().map(str::to_owned)
        })
        .collect();
    assert_eq!(said.concat(), "no <\"SSN\"> or 1", "{out}");
    assert!(out.ends_with(&format!("{end}\n\n")));
}

/// A stream that ends in the middle of an event: what was held comes in one of its own.
#[test]
fn what_was_held_comes_after_an_event_without_an_empty_line() {
    let stream = chunk(0, "room 12");
    let (out, result) = masked(stream.trim_end(), &Limits::default());
    assert_eq!(result, Ok(()));
    let events: Vec<_> = out.split("\n\n").filter(|it| !it.is_empty()).collect();
    assert_eq!(events.len(), 2, "{out}");
    assert!(events[1].contains("\"12\""), "{out}");
}

/// Lines end as the others do.
#[test]
fn an_event_that_is_made_ends_its_lines_as_the_others_do() {
    let event = |kind: &str, delta: Value| {
        let data = json!({"type": kind, "index": 0, "delta": delta});
        format!("event: {kind}\r\ndata: {data}\r\n\r\n")
    };
    let said = json!({"type": "text_delta", "text": "room 12"});
    let stream = event("content_block_delta", said) + &event("content_block_stop", json!({}));
    let shape = shape((ANTHROPIC, "/v1/messages"), true);
    let editor = AnswerEditor::unjudged(&shape, &Limits::default(), Numbers::boxed());
    let (out, result) = edit(editor, [stream.as_bytes()]);
    assert_eq!(result, Ok(()));
    let out = String::from_utf8(out).unwrap();
    assert_eq!(
        out.matches("event: content_block_delta\r\ndata: {").count(),
        2
    );
    assert!(!out.replace("\r\n", "").contains('\n'), "{out}");
}

/// What an agent says over a WebSocket is edited whole, and its sounds are left alone.
#[test]
fn a_message_of_an_agent_is_edited_whole() {
    let sound = "UklGRg".repeat(40);
    let limits = Limits::default();
    let edited =
        |event: &Value| edit_message(&event.to_string(), &limits, Numbers::boxed()).unwrap();
    assert_eq!(
        edited(&json!({"type": "input_audio_buffer.append", "audio": sound})),
        None
    );
    let content = json!([{"type": "input_text", "text": "I am 123-45-6789"}]);
    let item = json!({"type": "message", "role": "user", "content": content});
    for event in [
        json!({"type": "conversation.item.create", "item": item}),
        json!({"type": "response.create", "response": {"instructions": "for 123-45-6789"}}),
        json!({"type": "response.create", "model": "m", "input": [item]}),
        json!({"type": "response.create", "input": "of 123-45-6789"}),
        json!({"type": "session.update", "session": {"instructions": "x", "tools": [
            {"type": "function", "name": "f", "description": "of 123-45-6789"}]}}),
        json!({"type": "conversation.item.create", "item": {
            "type": "function_call_output", "call_id": "c", "output": "{\"ssn\":\"123-45-6789\"}"}}),
        json!({"type": "unheard_of", "any": {"id": "123-45-6789"}}),
    ] {
        let edited = edited(&event).unwrap();
        assert!(
            !edited.contains(VALUE) && edited.contains("SSN"),
            "{edited}"
        );
        let edited: Value = serde_json::from_str(&edited).unwrap();
        assert_eq!(edited["type"], event["type"]);
    }
    let twice = "{\"a\":\"123-45-6789\",\"a\":1}";
    edit_message(twice, &limits, Numbers::boxed()).unwrap_err();
}

/// Arguments are given as what they are, so that what stands in for a value can be written for them.
#[test]
fn texts_are_opened_with_their_form_and_place() {
    let (texts, opened) = Numbers::remembered();
    let call = json!({"index": 1, "function": {"arguments": "{\"a\""}});
    let delta = json!({"content": "a", "tool_calls": [call]});
    let event = json!({"choices": [{"index": 0, "delta": delta, "finish_reason": null}]});
    let stream = format!("data: {event}\n\n");
    let limits = Limits::default();
    let editor = AnswerEditor::unjudged(&shape(CHAT, true), &limits, texts);
    edit(editor, [stream.as_bytes()]).1.unwrap();
    let opened = opened.lock().unwrap();
    let shown: Vec<_> = opened
        .iter()
        .map(|text| (text.form, text.field.as_deref(), text.place.as_str()))
        .collect();
    assert_eq!(
        shown,
        [
            (Form::Plain, Some("content"), "/choices/0/delta/content"),
            (
                Form::Json,
                Some("arguments"),
                "/choices/0/delta/tool_calls/1/function/arguments"
            ),
        ]
    );
}

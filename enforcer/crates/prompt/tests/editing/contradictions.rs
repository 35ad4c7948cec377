//! Answers that different clients would read differently end where they begin to.

use enforcer_prompt::{
    AnswerEditor, AnswerHead, Cause, Head, Item, Limits, Ruling, Stop, recognise,
};

use super::{ANTHROPIC, GEMINI, GOOGLE, OPENAI, case, ruled};

fn cause(name: &'static str, host: &'static str, path: &'static str, text: &str) -> Option<Cause> {
    let edited = case(name, host, path).edit([text.as_bytes()], Ruling::Keep);
    match edited.result {
        Ok(()) => None,
        Err(Stop::Blocked) => panic!("nobody blocked {text}"),
        Err(Stop::Undecidable(undecidable)) => Some(undecidable.cause),
    }
}

fn chat(text: &str) -> Option<Cause> {
    cause("x.sse", OPENAI, "/v1/chat/completions", text)
}

fn delta(calls: &str) -> String {
    format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"tool_calls\":[{calls}]}}}}]}}\n\n")
}

#[test]
fn chats_that_contradict_themselves() {
    let first = delta(r#"{"index":0,"id":"a","function":{"name":"f","arguments":""}}"#);
    let second = delta(r#"{"index":1,"id":"b","function":{"name":"g","arguments":""}}"#);
    assert_eq!(chat(&[&*first, &second].concat()), None);
    for (text, expected) in [
        (
            delta(r#"{"index":0,"id":"z","function":{"arguments":"{}"}}"#),
            Cause::Inconsistent,
        ),
        (
            delta(r#"{"index":0,"function":{"name":"also"}}"#),
            Cause::Inconsistent,
        ),
        (
            delta(r#"{"id":"a","function":{"name":"f"}}"#),
            Cause::Schema,
        ),
        (delta("7"), Cause::Schema),
    ] {
        assert_eq!(chat(&[&*first, &text].concat()), Some(expected), "{text}");
    }
    let late = delta(r#"{"index":0,"function":{"arguments":"more"}}"#);
    assert_eq!(
        chat(&[&*first, &*second, &late].concat()),
        Some(Cause::Inconsistent),
        "arguments after the ruling"
    );
}

#[test]
fn streams_that_are_cut_in_two_ways() {
    for (text, expected) in [
        ("data: {\"a\":1}\r\rdata: {}\n\n", Cause::Malformed),
        ("\u{feff}data: {}\n\n", Cause::Malformed),
        ("data: {\"a\":1\n\n", Cause::Truncated),
        ("data: {\"a\":1,\"a\":2}\n\n", Cause::DuplicateKey),
        ("data: not json\n\n", Cause::Malformed),
        ("data: {\"a\":\n\n", Cause::Truncated),
        ("data: {}\ndata: {}\n\n", Cause::TrailingBytes),
    ] {
        assert_eq!(chat(text), Some(expected), "{text:?}");
    }
    assert_eq!(
        chat("data: {\ndata: \"choices\":[]}\n\n"),
        None,
        "lines of one event"
    );
    assert_eq!(chat(": only a comment\n\nevent: ping\n\n\n\n"), None);
}

#[test]
fn names_of_events_and_types_of_data_agree() {
    let text = "event: ping\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n";
    let found = cause("x.sse", ANTHROPIC, "/v1/messages", text);
    assert_eq!(found, Some(Cause::Inconsistent));
}

#[test]
fn responses_that_contradict_themselves() {
    let event = |text: &str| format!("data: {text}\n\n");
    let added = event(
        r#"{"type":"response.output_item.added","output_index":0,"item":{"id":"i","type":"function_call","name":"f","arguments":"","call_id":"c"}}"#,
    );
    let delta = event(
        r#"{"type":"response.function_call_arguments.delta","item_id":"i","output_index":0,"delta":"{}"}"#,
    );
    let done = |name: &str, arguments: &str| {
        event(&format!(
            r#"{{"type":"response.output_item.done","output_index":0,"item":{{"id":"i","type":"function_call","name":"{name}","arguments":"{arguments}","call_id":"c"}}}}"#
        ))
    };
    let whole = |name: &str| {
        event(&format!(
            r#"{{"type":"response.completed","response":{{"id":"r","output":[{{"id":"i","type":"function_call","name":"{name}","arguments":"{{}}","call_id":"c"}}]}}}}"#
        ))
    };
    let of = |pieces: &[String]| cause("x.sse", OPENAI, "/v1/responses", &pieces.concat());
    let added = || added.clone();
    let delta = || delta.clone();
    assert_eq!(of(&[added(), delta(), done("f", "{}"), whole("f")]), None);
    for (pieces, why) in [
        (vec![added(), delta(), done("g", "{}")], "another name"),
        (vec![added(), delta(), done("f", "[]")], "other arguments"),
        (
            vec![added(), delta(), done("f", "{}"), whole("g")],
            "another one at the end",
        ),
        (
            vec![added(), delta(), done("f", "{}"), delta()],
            "arguments after the ruling",
        ),
    ] {
        assert_eq!(of(&pieces), Some(Cause::Inconsistent), "{why}");
    }
}

#[test]
fn calls_nobody_announced_are_judged_where_they_show() {
    let text = "data: {\"type\":\"response.completed\",\"response\":{\"id\":\"r\",\"output\":[{\"id\":\"i\",\"type\":\"function_call\",\"name\":\"delete_user\",\"arguments\":\"{}\"},{\"type\":\"hologram\"}]}}\n\n";
    let edited = case("x.sse", OPENAI, "/v1/responses").edit([text.as_bytes()], Ruling::Strip);
    assert_eq!(
        edited.asked,
        ["function delete_user {}", "unknown hologram <object>"]
    );
    assert!(!String::from_utf8_lossy(&edited.out).contains("delete_user"));
}

#[test]
fn anthropic_blocks_that_contradict_themselves() {
    let start = "data: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"f\",\"input\":{\"a\":1}}}\n\n";
    let delta = "data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"{}\"}}\n\n";
    let stop = "data: {\"type\":\"content_block_stop\",\"index\":0}\n\n";
    let of = |text: &str| cause("x.sse", ANTHROPIC, "/v1/messages", text);
    assert_eq!(of(&[start, stop].concat()), None);
    assert_eq!(
        of(&[start, delta, stop].concat()),
        Some(Cause::Inconsistent)
    );
    assert_eq!(
        of(&[start, stop, delta].concat()),
        Some(Cause::Inconsistent)
    );
    assert_eq!(of(&[start, start].concat()), Some(Cause::Inconsistent));
    assert_eq!(of(delta), Some(Cause::Inconsistent), "arguments of nothing");
}

#[test]
fn gemini_calls_in_pieces_cannot_be_judged() {
    let text = r#"[{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","willContinue":true}}]}}]}]"#;
    assert_eq!(cause("x.json", GOOGLE, GEMINI, text), Some(Cause::Schema));
    for (text, expected) in [
        ("[{}", Cause::Truncated),
        ("[{} {}]", Cause::Malformed),
        ("[1]", Cause::Malformed),
        ("[{}]x", Cause::Malformed),
        ("[{},]", Cause::Malformed),
    ] {
        assert_eq!(
            cause("x.json", GOOGLE, GEMINI, text),
            Some(expected),
            "{text}"
        );
    }
    assert_eq!(cause("x.json", GOOGLE, GEMINI, " [ ] "), None);
}

#[test]
fn an_answer_that_promises_no_json_is_read_all_the_same() {
    let request = recognise(&Head {
        host: OPENAI,
        method: "POST",
        path: "/v1/chat/completions",
        ..Head::default()
    });
    let shape = request.answer(&AnswerHead {
        status: 200,
        content_type: Some("text/plain"),
    });
    let mut editor = AnswerEditor::new(&shape, &Limits::default()).unwrap();
    let mut asked = 0;
    let mut out = Vec::new();
    let mut judge = |_: &Item<'_>| {
        asked += 1;
        Ruling::Strip
    };
    let body =
        br#"{"choices":[{"message":{"tool_calls":[{"function":{"name":"f","arguments":""}}]}}]}"#;
    editor.push(body, &mut judge, &mut out).unwrap();
    editor.finish(&mut judge, &mut out).unwrap();
    assert_eq!(asked, 1);
    assert_eq!(out, br#"{"choices":[{"message":{}}]}"#);
}

#[test]
fn what_is_held_and_what_an_event_has_is_bounded() {
    let limits = Limits {
        event: 300,
        held: 500,
        ..Limits::default()
    };
    let chat = case("chat.sse", OPENAI, "/v1/chat/completions");
    let run = |pieces: &[&[u8]]| {
        let mut editor = AnswerEditor::new(&chat.shape(), &limits).unwrap();
        let mut out = Vec::new();
        pieces
            .iter()
            .try_for_each(|piece| editor.push(piece, &mut |_: &Item<'_>| Ruling::Keep, &mut out))
    };
    let too_many = |result| match result {
        Err(Stop::Undecidable(undecidable)) => undecidable.cause == Cause::TooMany,
        Ok(()) | Err(Stop::Blocked) => false,
    };
    let long = format!("data: {{\"a\":\"{}", "x".repeat(400));
    assert!(too_many(run(&[long.as_bytes()])), "an event without an end");
    let piece = delta(r#"{"index":0,"function":{"arguments":"aaaaaaaaaaaaaaaaaaaa"}}"#);
    let pieces = vec![piece.as_bytes(); 8];
    assert!(too_many(run(&pieces)), "a call without an end");
    let gemini = case("x.json", GOOGLE, GEMINI);
    let mut editor = AnswerEditor::new(&gemini.shape(), &limits).unwrap();
    let mut judge = |_: &Item<'_>| Ruling::Keep;
    let spaces = editor.push(&[b' '; 600], &mut judge, &mut Vec::new());
    assert!(spaces.is_err(), "white space without an end");
}

/// What the provider has stored, or what the agent itself put into a conversation, is ruled on where it shows.
#[test]
fn stored_answers_and_items_of_agents_are_ruled_on() {
    let listed = r#"{"object":"list","data":[{"choices":[{"message":{"tool_calls":[{"function":{"name":"delete_user","arguments":"{}"}}]}}]}]}"#;
    let stored = case("x.json", OPENAI, "/v1/chat/completions");
    assert_eq!(
        stored.edit([listed.as_bytes()], Ruling::Strip).result,
        Err(Stop::Blocked)
    );
    assert_eq!(
        stored.edit([listed.as_bytes()], Ruling::Keep).out,
        listed.as_bytes()
    );
    let one = Head {
        host: OPENAI,
        method: "GET",
        path: "/v1/chat/completions/chatcmpl-1",
        ..Head::default()
    };
    let api = recognise(&one).api;
    assert_eq!(
        api,
        enforcer_prompt::Api::Model(
            enforcer_prompt::Provider::OpenAi,
            enforcer_prompt::Operation::Chat
        )
    );
    let echo = "data: {\"type\":\"conversation.item.created\",\"item\":{\"id\":\"i\",\"type\":\"function_call\",\"status\":\"completed\",\"name\":\"f\",\"arguments\":\"{}\"}}\n\n";
    let edited = case("x.sse", OPENAI, "/v1/responses").edit([echo.as_bytes()], Ruling::Keep);
    assert_eq!(
        (edited.out, edited.asked),
        (echo.as_bytes().to_vec(), vec!["function f {}".to_owned()])
    );
}

/// A session goes on for ever in constant memory, and a call that shows again is ruled on again.
#[test]
fn long_sessions_are_edited_as_short_ones() {
    let shape = recognise(&Head {
        host: OPENAI,
        method: "GET",
        path: "/v1/realtime",
        websocket: true,
        ..Head::default()
    });
    let mut editor = AnswerEditor::new(&shape, &Limits::default()).unwrap();
    let mut out = Vec::new();
    let mut judge = |item: &Item<'_>| ruled(item, Ruling::Strip);
    for n in 0..3_000 {
        let name = if n % 2 == 0 {
            "delete_user"
        } else {
            "get_time"
        };
        let item = format!(
            r#"{{"id":"i{n}","type":"function_call","status":"completed","name":"{name}","arguments":"{{}}"}}"#
        );
        for text in [
            format!(r#"{{"type":"response.created","response":{{"id":"r{n}","output":[]}}}}"#),
            format!(
                r#"{{"type":"response.output_item.done","response_id":"r{n}","output_index":0,"item":{item}}}"#
            ),
            format!(r#"{{"type":"response.done","response":{{"id":"r{n}","output":[{item}]}}}}"#),
        ] {
            editor.message(&text, &mut judge, &mut out).unwrap();
        }
    }
    assert_eq!(out.len(), 3_000 * 2 + 1_500);
    assert!(out.iter().all(|text| !text.contains("delete_user")));
}

#[test]
fn the_older_transport_of_mcp_says_where_to_post() {
    let mcp = case("mcp.sse", "mcp.example.com", "/mcp");
    let first = b"event: endpoint\ndata: /messages?session=1\n\n";
    let bytes = [&first[..], &mcp.bytes()].concat();
    assert_eq!(mcp.edit([&bytes[..]], Ruling::Keep).out, bytes);
    let stripped = mcp.edit([&bytes[..]], Ruling::Strip);
    assert!(stripped.out.starts_with(first));
    let chat = case("x.sse", OPENAI, "/v1/chat/completions");
    assert!(chat.edit([&first[..]], Ruling::Keep).result.is_err());
}

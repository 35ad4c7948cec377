//! What answers say and cost, whole and counted while they pass.

use enforcer_prompt::{Body, Limits, Ruling, Usage};

use super::{ANTHROPIC, Case, GEMINI, GOOGLE, OPENAI, case};

const CHAT: &str = "/v1/chat/completions";

fn line(usage: &Usage) -> String {
    let Usage {
        input,
        cached,
        cache_written,
        output,
        reasoning,
        audio_input,
        audio_output,
    } = usage;
    [
        input,
        cached,
        cache_written,
        output,
        reasoning,
        audio_input,
        audio_output,
    ]
    .map(|number| number.map_or_else(|| "-".to_owned(), |number| number.to_string()))
    .join(" ")
}

#[test]
fn usage_and_reasons_are_read_from_streams_and_documents() {
    for (case, usage, model, finish, text) in [
        (
            case("chat.sse", OPENAI, CHAT),
            "82 64 - 40 5 0 -",
            "gpt-4o-2024-08-06",
            "tool_calls",
            24,
        ),
        (
            case("chat.json", OPENAI, CHAT),
            "10 - - 5 - - -",
            "gpt-4o",
            "tool_calls tool_calls",
            2,
        ),
        (
            case("responses.sse", OPENAI, "/v1/responses"),
            "30 10 0 20 8 - -",
            "gpt-4.1-2025-04-14",
            "completed",
            3,
        ),
        (
            case("anthropic.sse", ANTHROPIC, "/v1/messages"),
            "40 10 5 89 - - -",
            "claude-sonnet-4-5-20250929",
            "tool_use",
            5,
        ),
        (
            case("gemini.sse", GOOGLE, GEMINI),
            "12 - - 12 3 - -",
            "gemini-2.5-flash",
            "STOP",
            7,
        ),
        (
            case("gemini.json", GOOGLE, GEMINI),
            "12 - - 12 3 - -",
            "gemini-2.5-flash",
            "STOP",
            7,
        ),
        (
            case("completions.sse", OPENAI, "/v1/completions"),
            "3 - - 2 - - -",
            "gpt-3.5-turbo-instruct",
            "stop",
            4,
        ),
        (
            case("embeddings.json", OPENAI, "/v1/embeddings"),
            "8 - - - - - -",
            "text-embedding-3-small",
            "",
            0,
        ),
    ] {
        let edited = case.edit(case.bytes().chunks(7), Ruling::Keep);
        assert_eq!(edited.out, case.bytes(), "{}", case.name);
        let tally = edited.tally;
        assert_eq!(line(&tally.usage), usage, "{}", case.name);
        assert_eq!(tally.model.as_deref(), Some(model), "{}", case.name);
        let reasons: Vec<_> = tally.finish.iter().map(|it| it.reason.as_str()).collect();
        assert_eq!(reasons.join(" "), finish, "{}", case.name);
        assert_eq!(tally.text, text, "{}", case.name);
    }
}

#[test]
fn judged_and_stripped_are_counted() {
    let chat = case("chat.sse", OPENAI, CHAT);
    let tally = chat.edit([&chat.bytes()[..]], Ruling::Strip).tally;
    assert_eq!((tally.judged, tally.stripped), (3, 1));
}

fn whole(case: Case) -> (Vec<String>, Vec<String>, String, Option<u64>) {
    let bytes = case.bytes();
    let shape = case.shape();
    let limits = Limits::default();
    let body = Body::parse(&shape, &bytes, &limits).unwrap();
    let answer = body.answer(&shape, &limits).unwrap();
    (
        answer.calls().map(|call| call.name.to_owned()).collect(),
        answer
            .finish
            .iter()
            .map(|&reason| reason.to_owned())
            .collect(),
        line(&answer.usage),
        answer.rows,
    )
}

#[test]
fn whole_answers_are_read_as_streams_are() {
    for (case, calls, finish, usage, rows) in [
        (
            case("chat.json", OPENAI, CHAT),
            "get_weather delete_user delete_user delete_user",
            "tool_calls tool_calls",
            "10 - - 5 - - -",
            2,
        ),
        (
            case("responses.json", OPENAI, "/v1/responses"),
            "get_weather delete_user get_time shell",
            "completed",
            "30 10 0 20 8 - -",
            6,
        ),
        (
            case("anthropic.json", ANTHROPIC, "/v1/messages"),
            "delete_user",
            "tool_use",
            "5 - - 6 - - -",
            2,
        ),
        (
            case("gemini.json", GOOGLE, GEMINI),
            "get_weather delete_user delete_user",
            "STOP",
            "12 - - 12 3 - -",
            4,
        ),
        (
            case("embeddings.json", OPENAI, "/v1/embeddings"),
            "",
            "",
            "8 - - - - - -",
            1,
        ),
    ] {
        let found = whole(case);
        let expected = (
            calls.to_owned(),
            finish.to_owned(),
            usage.to_owned(),
            Some(rows),
        );
        let found = (found.0.join(" "), found.1.join(" "), found.2, found.3);
        assert_eq!(found, expected, "{}", case.name);
    }
}

#[test]
fn rows_are_counted_where_a_list_of_them_stands() {
    let hook = case("x.json", "data.example.com", "/export");
    let shape = hook.shape();
    let limits = Limits::default();
    for (text, rows) in [
        ("[1,2,3]", Some(3)),
        (
            r#"{"data":{"rows":[{"v":[1,2,3,4,5]},{"v":[]}]},"next":[]}"#,
            Some(2),
        ),
        (r#"{"count":5}"#, None),
        ("[]", Some(0)),
    ] {
        let body = Body::parse(&shape, text.as_bytes(), &limits).unwrap();
        assert_eq!(body.answer(&shape, &limits).unwrap().rows, rows, "{text}");
    }
}

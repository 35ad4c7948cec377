//! What a model says is heard piece by piece, by who wants to.

use enforcer_prompt::{Item, Ruling, Stop};

use super::{ANTHROPIC, Case, GEMINI, GOOGLE, OPENAI, case, shown};

fn heard(case: Case, phrase: &str) -> (Vec<String>, Vec<u8>, Result<(), Stop>) {
    let mut editor = case.editor();
    editor.hear();
    let mut asked = Vec::new();
    let mut out = Vec::new();
    let mut judge = |item: &Item<'_>| {
        if let Item::Said(text) = item {
            asked.push(shown(item));
            if !phrase.is_empty() && text.contains(phrase) {
                return Ruling::Strip;
            }
        }
        Ruling::Keep
    };
    let result = editor
        .push(&case.bytes(), &mut judge, &mut out)
        .and_then(|()| editor.finish(&mut judge, &mut out));
    (asked, out, result)
}

#[test]
fn a_phrase_that_two_pieces_share_is_heard_and_ends_the_answer() {
    let chat = case("chat.sse", OPENAI, "/v1/chat/completions");
    let (asked, out, result) = heard(chat, "");
    assert_eq!(
        asked,
        [
            "said Let me l\u{f6}ok",
            "said Let me l\u{f6}ok \"that\" up.\n"
        ]
    );
    assert_eq!((out, result), (chat.bytes(), Ok(())));
    let (_, out, result) = heard(chat, "k \"that");
    assert_eq!(result, Err(Stop::Blocked));
    assert!(chat.bytes().starts_with(&out));
    let out = String::from_utf8_lossy(&out).into_owned();
    assert!(out.contains("Let me") && !out.contains("that"), "{out}");
}

#[test]
fn every_interface_lets_its_words_be_heard() {
    for (case, phrase) in [
        (
            case("anthropic.sse", ANTHROPIC, "/v1/messages"),
            "Ok\u{e4}y",
        ),
        (case("anthropic.json", ANTHROPIC, "/v1/messages"), "ok"),
        (case("chat.json", OPENAI, "/v1/chat/completions"), "ok"),
        (
            case("completions.sse", OPENAI, "/v1/completions"),
            "h\u{e9}y",
        ),
        (case("gemini.sse", GOOGLE, GEMINI), "L\u{e9}t"),
        (case("gemini.json", GOOGLE, GEMINI), "L\u{e9}t"),
        (case("responses.sse", OPENAI, "/v1/responses"), "H\u{e9}"),
        (case("responses.json", OPENAI, "/v1/responses"), "H\u{e9}"),
    ] {
        assert_eq!(heard(case, "").1, case.bytes(), "{}", case.name);
        assert_eq!(heard(case, "never said").2, Ok(()), "{}", case.name);
        assert_eq!(heard(case, phrase).2, Err(Stop::Blocked), "{}", case.name);
    }
}

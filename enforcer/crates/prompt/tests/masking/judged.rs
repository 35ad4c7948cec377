//! Editing beside judging: rules see what the model said, agents what became of it.

use enforcer_prompt::{AnswerEditor, Item, Limits, Ruling, Stop};

use super::editor::Numbers;
use super::{CASES, Case, VALUE, contains, seen};

/// Answers that have calls, and are judged.
fn cases() -> impl Iterator<Item = &'static Case> {
    let judged = ["anthropic.sse", "chat.sse", "gemini.sse", "responses.sse"];
    CASES.iter().filter(move |case| judged.contains(&case.name))
}

fn judged(case: &Case, chunk: usize, ruling: Ruling) -> (String, Result<(), Stop>, Vec<String>) {
    let mut editor = AnswerEditor::new(&case.shape(), &Limits::default()).unwrap();
    editor.mask(Numbers::boxed());
    let mut asked = Vec::new();
    let mut judge = |item: &Item<'_>| match item {
        Item::Call(call) => {
            asked.push(format!("{} {:?}", call.name, call.arguments));
            if call.name == "store" {
                ruling
            } else {
                Ruling::Keep
            }
        }
        Item::Listed(_) | Item::Result(_) | Item::Said(_) => Ruling::Keep,
    };
    let mut out = Vec::new();
    let result = case
        .bytes()
        .chunks(chunk)
        .try_for_each(|chunk| editor.push(chunk, &mut judge, &mut out))
        .and_then(|()| editor.finish(&mut judge, &mut out));
    (String::from_utf8(out).unwrap(), result, asked)
}

/// Kept, the texts are those of an answer that nobody judges; the calls were judged as the model made them.
#[test]
fn judging_does_not_change_what_masking_leaves() {
    for case in cases() {
        let plain = String::from_utf8(case.masked()).unwrap();
        for chunk in [1, 300, usize::MAX] {
            let (out, result, asked) = judged(case, chunk, Ruling::Keep);
            assert_eq!(result, Ok(()), "{}", case.name);
            assert_eq!(seen::of(&out), seen::of(&plain), "{}", case.name);
            assert!(asked.iter().any(|call| call.starts_with("store")));
            if case.name != "gemini.sse" {
                assert!(asked.iter().any(|call| call.contains(VALUE)), "{asked:?}");
            }
        }
    }
}

#[test]
fn calls_are_taken_out_of_answers_that_are_masked() {
    for case in cases() {
        let (whole, result, _) = judged(case, usize::MAX, Ruling::Strip);
        assert_eq!(result, Ok(()), "{}", case.name);
        assert!(!whole.contains("\"store\"") || case.name == "responses.sse");
        for chunk in [1, 77] {
            let (out, ..) = judged(case, chunk, Ruling::Strip);
            assert_eq!(out, whole, "{} in chunks of {chunk}", case.name);
        }
        assert!(!contains(whole.as_bytes(), VALUE), "{}", case.name);
        seen::of(&whole);
    }
}

#[test]
fn blocking_ends_an_answer_that_is_masked() {
    for case in cases() {
        let (out, result, _) = judged(case, 50, Ruling::Block);
        assert_eq!(result, Err(Stop::Blocked), "{}", case.name);
        assert!(!contains(out.as_bytes(), VALUE), "{}", case.name);
    }
}

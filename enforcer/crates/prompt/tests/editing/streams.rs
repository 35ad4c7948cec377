//! Every answer, cut at every byte.

use std::fs;

use enforcer_prompt::{Item, Limits, Ruling, Stop};
use proptest::prelude::*;

use super::{CASES, Case, FORBIDDEN, OPENAI, case, contains, folder, forbidden, ruled, shown};

/// What stripping leaves is in a file, for people to read.
#[test]
fn a_stripped_answer_is_what_is_expected() {
    let mut wrong = Vec::new();
    for case in CASES {
        let edited = case.edit([&case.bytes()[..]], Ruling::Strip);
        assert_eq!(edited.result, Ok(()), "{}", case.name);
        let expected = folder().join("stripped").join(case.name);
        if fs::read(expected).ok() != Some(edited.out.clone()) {
            let out = String::from_utf8_lossy(&edited.out).into_owned();
            wrong.push(format!("=== {}\n{out}", case.name));
        }
        assert!(
            !contains(&edited.out, FORBIDDEN),
            "{}: it is still there",
            case.name
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn keeping_everything_changes_no_byte_wherever_the_answer_is_cut() {
    for case in CASES {
        let bytes = case.bytes();
        let whole = case.edit([&bytes[..]], Ruling::Keep);
        assert_eq!(whole.out, bytes, "{}", case.name);
        assert_eq!(whole.result, Ok(()), "{}", case.name);
        for at in 0..=bytes.len() {
            let (one, other) = bytes.split_at(at);
            let edited = case.edit([one, other], Ruling::Keep);
            assert_eq!(edited, whole, "{} cut at {at}", case.name);
        }
        assert_eq!(
            case.edit(bytes.chunks(1), Ruling::Keep),
            whole,
            "{}",
            case.name
        );
    }
}

#[test]
fn stripping_leaves_the_same_wherever_the_answer_is_cut() {
    for case in CASES {
        let bytes = case.bytes();
        let whole = case.edit([&bytes[..]], Ruling::Strip);
        for at in 0..=bytes.len() {
            let (one, other) = bytes.split_at(at);
            let edited = case.edit([one, other], Ruling::Strip);
            assert_eq!(edited, whole, "{} cut at {at}", case.name);
        }
        assert_eq!(
            case.edit(bytes.chunks(1), Ruling::Strip),
            whole,
            "{}",
            case.name
        );
    }
}

#[test]
fn blocking_ends_the_answer_before_the_call() {
    for case in CASES {
        let bytes = case.bytes();
        let whole = case.edit([&bytes[..]], Ruling::Block);
        assert_eq!(whole.result, Err(Stop::Blocked), "{}", case.name);
        for at in 0..=bytes.len() {
            let (one, other) = bytes.split_at(at);
            let edited = case.edit([one, other], Ruling::Block);
            assert_eq!(edited, whole, "{} cut at {at}", case.name);
        }
        assert!(bytes.starts_with(&whole.out), "{}: other bytes", case.name);
        assert!(!contains(&whole.out, FORBIDDEN), "{}: it is out", case.name);
    }
}

/// Nothing of a call leaves before somebody has ruled on it, and what was ruled on is all that leaves.
#[test]
fn no_call_leaves_before_it_was_ruled_on() {
    for case in CASES {
        let bytes = case.bytes();
        let mut editor = case.editor();
        let mut out = Vec::new();
        for byte in bytes.chunks(1) {
            let mut asked = false;
            let before = contains(&out, FORBIDDEN);
            let mut judge = |item: &Item<'_>| {
                asked |= forbidden(item);
                Ruling::Keep
            };
            editor.push(byte, &mut judge, &mut out).unwrap();
            let after = contains(&out, FORBIDDEN);
            assert!(
                before || !after || asked,
                "{}: out before the ruling",
                case.name
            );
        }
    }
}

/// A connection that breaks off anywhere lets no forbidden call out.
#[test]
fn a_cut_answer_holds_back_what_was_not_ruled_on() {
    for case in CASES {
        let bytes = case.bytes();
        for end in 0..bytes.len() {
            let edited = case.edit([&bytes[..end]], Ruling::Strip);
            assert!(
                !contains(&edited.out, FORBIDDEN),
                "{} cut off after {end} bytes: {}",
                case.name,
                String::from_utf8_lossy(&edited.out)
            );
        }
    }
}

/// After it has stopped an editor gives nothing out, whatever comes.
#[test]
fn a_stopped_editor_stays_stopped() {
    let case = CASES.iter().find(|case| case.name == "chat.sse").unwrap();
    let mut editor = case.editor();
    let mut out = Vec::new();
    let mut judge = |_: &Item<'_>| Ruling::Block;
    let bytes = case.bytes();
    assert_eq!(
        editor.push(&bytes, &mut judge, &mut out),
        Err(Stop::Blocked)
    );
    let length = out.len();
    assert_eq!(
        editor.push(b"data: {}\n\n", &mut judge, &mut out),
        Err(Stop::Blocked)
    );
    assert_eq!(editor.finish(&mut judge, &mut out), Err(Stop::Blocked));
    assert_eq!(out.len(), length);
}

fn messages(ruling: Ruling) -> (Vec<String>, Vec<String>, Vec<String>) {
    let text = fs::read_to_string(folder().join("realtime.jsonl")).unwrap();
    let shape = enforcer_prompt::recognise(&enforcer_prompt::Head {
        host: OPENAI,
        method: "GET",
        path: "/v1/realtime",
        websocket: true,
        ..enforcer_prompt::Head::default()
    });
    let mut editor = enforcer_prompt::AnswerEditor::new(&shape, &Limits::default()).unwrap();
    let mut out = Vec::new();
    let mut asked = Vec::new();
    for line in text.lines() {
        let mut judge = |item: &Item<'_>| {
            asked.push(shown(item));
            ruled(item, ruling)
        };
        if editor.message(line, &mut judge, &mut out).is_err() {
            break;
        }
    }
    (text.lines().map(str::to_owned).collect(), out, asked)
}

#[test]
fn realtime_messages_are_kept_stripped_and_blocked_as_events_are() {
    let (sent, kept, asked) = messages(Ruling::Keep);
    assert_eq!(kept, sent);
    assert_eq!(
        asked,
        ["function delete_user {\"id\":7}", "function get_time {}"]
    );
    let (sent, stripped, _) = messages(Ruling::Strip);
    let expected: Vec<_> = sent
        .iter()
        .filter(|line| !line.contains("item_a") || line.contains("response.done"))
        .map(|line| line.replace("\"output_index\":1", "\"output_index\":0"))
        .collect();
    assert_eq!(stripped.len(), expected.len());
    assert_eq!(
        stripped[..stripped.len() - 2],
        expected[..expected.len() - 2]
    );
    assert!(stripped.iter().all(|line| !line.contains(FORBIDDEN)));
    assert!(
        stripped
            .iter()
            .any(|line| line.contains("response.done") && line.contains("get_time"))
    );
    let (sent, blocked, _) = messages(Ruling::Block);
    assert_eq!(blocked, sent[..2]);
}

/// A run waits for all outputs: taking a call out would leave it waiting for ever.
#[test]
fn a_call_of_a_run_is_kept_or_ends_the_answer() {
    let run = case("assistants.sse", OPENAI, "/v1/threads/t/runs");
    let bytes = run.bytes();
    assert_eq!(run.edit([&bytes[..]], Ruling::Keep).out, bytes);
    for ruling in [Ruling::Strip, Ruling::Block] {
        let edited = run.edit(bytes.chunks(1), ruling);
        assert_eq!(edited.result, Err(Stop::Blocked));
        assert!(!contains(&edited.out, FORBIDDEN));
    }
}

fn cuts() -> impl Strategy<Value = (Case, Vec<prop::sample::Index>)> {
    (
        prop::sample::select(CASES),
        prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    )
}

proptest! {
    #[test]
    fn any_cutting_gives_what_no_cutting_gives((case, cuts) in cuts()) {
        let bytes = case.bytes();
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.push(bytes.len());
        cuts.sort_unstable();
        let mut chunks = Vec::new();
        let mut start = 0;
        for cut in cuts {
            chunks.push(&bytes[start..cut]);
            start = cut;
        }
        for ruling in [Ruling::Keep, Ruling::Strip, Ruling::Block] {
            let whole = case.edit([&bytes[..]], ruling);
            prop_assert_eq!(case.edit(chunks.iter().copied(), ruling), whole);
        }
    }
}

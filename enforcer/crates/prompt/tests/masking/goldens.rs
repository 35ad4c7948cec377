//! Every answer, cut at every byte.

use std::fs;

use enforcer_prompt::Limits;

use super::editor::Numbers;
use super::{AnswerEditor, CASES, VALUE, contains, folder, messages};

/// What masking leaves is in a file, for people to read.
#[test]
fn a_masked_answer_is_what_is_expected() {
    let mut wrong = Vec::new();
    for case in CASES {
        let out = case.masked();
        let expected = folder().join("masked").join(case.name);
        if fs::read(&expected).ok() != Some(out.clone()) {
            let out = String::from_utf8_lossy(&out).into_owned();
            wrong.push(format!("=== {}\n{out}", case.name));
        }
        assert!(!contains(&out, VALUE), "{}: it is still there", case.name);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A value that is split over five deltas, and any of them over two chunks, is masked all the same.
#[test]
fn masking_leaves_the_same_wherever_the_answer_is_cut() {
    for case in CASES.iter().filter(|case| !case.name.ends_with(".jsonl")) {
        let bytes = case.bytes();
        let whole = case.edit([&bytes[..]]);
        for at in 0..=bytes.len() {
            let (one, other) = bytes.split_at(at);
            assert_eq!(case.edit([one, other]), whole, "{} cut at {at}", case.name);
        }
        assert_eq!(case.edit(bytes.chunks(1)), whole, "{}", case.name);
    }
}

/// A connection that breaks off anywhere lets no part of a value out that was held.
#[test]
fn a_cut_answer_lets_no_part_of_a_value_out() {
    for case in CASES.iter().filter(|case| case.name.ends_with(".sse")) {
        let mut editor = case.editor();
        let mut out = Vec::new();
        for byte in case.bytes().chunks(1) {
            let before = out.len().saturating_sub(VALUE.len());
            editor.push(byte, &mut super::keep, &mut out).unwrap();
            for part in [VALUE, "-6789", "23-45", "45-67"] {
                assert!(!contains(&out[before..], part), "{}", case.name);
            }
        }
    }
}

/// Where nothing is found and nothing could be, no byte changes.
#[test]
fn events_without_findings_pass_byte_for_byte_and_at_once() {
    for case in CASES {
        let clean: Vec<u8> = case
            .bytes()
            .iter()
            .map(|byte| if byte.is_ascii_digit() { b'x' } else { *byte })
            .collect();
        // Numbers of the interface are numbers still.
        let text = String::from_utf8(clean).unwrap();
        let text = restored(&text, &String::from_utf8(case.bytes()).unwrap());
        if case.name.ends_with(".jsonl") {
            let out = messages(case.editor(), &text);
            assert_eq!(String::from_utf8(out).unwrap(), text, "{}", case.name);
            continue;
        }
        let mut editor = case.editor();
        let mut out = Vec::new();
        for event in text.as_bytes().split_inclusive(|byte| *byte == b'\n') {
            editor.push(event, &mut super::keep, &mut out).unwrap();
            if case.name.ends_with(".sse") && event == b"\n" {
                assert!(
                    text.as_bytes().starts_with(&out) && out.ends_with(b"\n\n"),
                    "{}: {}",
                    case.name,
                    String::from_utf8_lossy(&out)
                );
            }
        }
        editor.finish(&mut super::keep, &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), text, "{}", case.name);
    }
}

/// The digits that stand outside of strings, as they were.
fn restored(clean: &str, original: &str) -> String {
    // A comment is a string as far as that goes.
    let mut comment = false;
    let mut before = '\n';
    let mut inside = false;
    let mut escaped = false;
    clean
        .chars()
        .zip(original.chars())
        .map(|(clean, original)| {
            match original {
                _ if escaped => escaped = false,
                '\\' if inside => escaped = true,
                '"' => inside = !inside,
                _ => {}
            }
            comment = (comment || (before == '\n' && original == ':')) && original != '\n';
            before = original;
            if inside || comment { clean } else { original }
        })
        .collect()
}

/// The same texts in whole answers and in streams become the same.
#[test]
fn what_was_streamed_and_what_is_said_whole_agree() {
    for case in CASES.iter().filter(|case| case.name != "mcp.sse") {
        let out = String::from_utf8(case.masked()).unwrap();
        let masked = super::seen::of(&out);
        let original = String::from_utf8(case.bytes()).unwrap();
        let said = super::seen::of(&original);
        assert_eq!(masked.len(), said.len(), "{}", case.name);
        for (key, (form, text)) in &said {
            let expected = super::editor::whole(text, *form);
            assert_eq!(masked[key].1, expected, "{} {key}", case.name);
        }
    }
}

/// Nothing is found twice because it is said twice.
#[test]
fn what_is_said_again_is_known_to_be() {
    for name in [
        "responses.sse",
        "realtime.jsonl",
        "assistants.sse",
        "transcription.sse",
    ] {
        let case = CASES.iter().find(|case| case.name == name).unwrap();
        let (texts, opened) = Numbers::remembered();
        let limits = Limits::default();
        let mut editor = AnswerEditor::unjudged(&case.shape(), &limits, texts);
        let bytes = case.bytes();
        if name.ends_with(".jsonl") {
            let mut out = Vec::new();
            for line in String::from_utf8(bytes).unwrap().lines() {
                editor.message(line, &mut super::keep, &mut out).unwrap();
            }
        } else {
            editor
                .push(&bytes, &mut super::keep, &mut Vec::new())
                .unwrap();
            editor.finish(&mut super::keep, &mut Vec::new()).unwrap();
        }
        let opened = opened.lock().unwrap();
        let ends = ["/text", "/transcript", "/arguments", "/input"];
        let wholes: Vec<_> = opened
            .iter()
            .filter(|text| ends.iter().any(|end| text.place.ends_with(end)))
            .filter(|text| !text.place.contains("delta"))
            .collect();
        assert!(!wholes.is_empty(), "{name}");
        assert!(wholes.iter().all(|text| text.again), "{name}: {wholes:#?}");
    }
}

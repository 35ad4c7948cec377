//! Random texts, in random pieces, over random texts at once: what a client puts together is what the whole would have become.

use enforcer_prompt::{AnswerEditor, Limits};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::editor::{Numbers, whole};
use super::{ANTHROPIC, GEMINI, GOOGLE, OPENAI, edit, seen, shape};

/// An interface: its host and path, how a piece of one of three texts looks, and how all of it ends.
struct Interface {
    place: (&'static str, &'static str),
    piece: fn(usize, &str, u64) -> Value,
    end: fn(u64, &[String; 3]) -> Vec<Value>,
}

const INTERFACES: [Interface; 4] = [
    Interface {
        place: (OPENAI, "/v1/chat/completions"),
        piece: chat,
        end: chat_ends,
    },
    Interface {
        place: (OPENAI, "/v1/responses"),
        piece: responses,
        end: responses_end,
    },
    Interface {
        place: (ANTHROPIC, "/v1/messages"),
        piece: anthropic,
        end: anthropic_ends,
    },
    Interface {
        place: (GOOGLE, GEMINI),
        piece: gemini,
        end: gemini_ends,
    },
];

fn chat(text: usize, piece: &str, _: u64) -> Value {
    let (choice, delta) = match text {
        0 | 1 => (text, json!({"content": piece})),
        _ => {
            let call = json!({"index": 0, "function": {"arguments": piece}});
            (0, json!({"tool_calls": [call]}))
        }
    };
    json!({"id": "c", "choices": [{"index": choice, "delta": delta, "finish_reason": null}]})
}

fn chat_ends(_: u64, _: &[String; 3]) -> Vec<Value> {
    let end = |choice| json!({"index": choice, "delta": {}, "finish_reason": "stop"});
    vec![
        json!({"id": "c", "choices": [end(1), end(0)]}),
        json!({"id": "c", "choices": [], "usage": {"prompt_tokens": 4}}),
    ]
}

fn responses(text: usize, piece: &str, number: u64) -> Value {
    match text {
        0 | 1 => json!({
            "type": "response.output_text.delta", "sequence_number": number, "item_id": "m",
            "output_index": 0, "content_index": text, "delta": piece,
        }),
        _ => json!({
            "type": "response.function_call_arguments.delta", "sequence_number": number,
            "item_id": "f", "output_index": 1, "delta": piece,
        }),
    }
}

fn responses_end(number: u64, texts: &[String; 3]) -> Vec<Value> {
    let part = |text: &String| json!({"type": "output_text", "text": text});
    let item = json!({"id": "m", "type": "message", "content": [part(&texts[0]), part(&texts[1])]});
    let call = json!({"id": "f", "type": "function_call", "arguments": texts[2]});
    vec![
        json!({
            "type": "response.output_text.done", "sequence_number": number, "item_id": "m",
            "output_index": 0, "content_index": 1, "text": texts[1],
        }),
        json!({
            "type": "response.output_item.done", "sequence_number": number + 1,
            "output_index": 0, "item": item,
        }),
        json!({
            "type": "response.completed", "sequence_number": number + 2,
            "response": {"id": "r", "output": [item, call]},
        }),
    ]
}

fn anthropic(text: usize, piece: &str, _: u64) -> Value {
    let delta = match text {
        0 => json!({"type": "text_delta", "text": piece}),
        1 => json!({"type": "thinking_delta", "thinking": piece}),
        _ => json!({"type": "input_json_delta", "partial_json": piece}),
    };
    json!({"type": "content_block_delta", "index": text, "delta": delta})
}

fn anthropic_ends(_: u64, _: &[String; 3]) -> Vec<Value> {
    vec![
        json!({"type": "content_block_stop", "index": 1}),
        json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}}),
        json!({"type": "message_stop"}),
    ]
}

fn gemini(text: usize, piece: &str, number: u64) -> Value {
    let mut part = json!({"text": piece});
    if text == 1 {
        part["thought"] = json!(true);
    }
    let mut candidate = json!({"index": text / 2, "content": {"parts": [part]}});
    // Some versions stop with every chunk.
    if number.is_multiple_of(3) {
        candidate["finishReason"] = json!("STOP");
    }
    json!({"candidates": [candidate]})
}

fn gemini_ends(_: u64, _: &[String; 3]) -> Vec<Value> {
    vec![gemini(0, "", 0)]
}

fn pieces() -> impl Strategy<Value = Vec<(usize, String)>> {
    let piece = prop_oneof![
        (0_usize..11, 1_usize..12).prop_map(|(from, length)| {
            let value = super::VALUE;
            value[from..value.len().min(from + length)].to_owned()
        }),
        prop::sample::select(
            &[
                "",
                " ",
                "1",
                "23-4",
                "\"",
                "\\",
                "\n",
                "\u{e9}",
                "\u{1f600}",
                "word ",
                "219-09-9999",
                "{\"a\":\"",
                "9-",
                "<",
            ][..]
        )
        .prop_map(str::to_owned),
    ];
    prop::collection::vec((0_usize..3, piece), 1..24)
}

/// Writes digits and what is no ASCII as escapes.
fn escaped(document: &str) -> String {
    let inside = |c: char| c == '\u{e9}' || c == '\u{1f600}';
    let mut text = String::new();
    for c in document.chars() {
        if inside(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                text.push_str(&format!("\\u{unit:04X}"));
            }
        } else {
            text.push(c);
        }
    }
    text.replace("23-4", "\\u00323-4")
        .replace("-67", "\\u002d67")
}

/// Changes that keep a stream one that is read for a while.
fn damages() -> impl Strategy<Value = Vec<(prop::sample::Index, usize, &'static str)>> {
    let bits = [
        "",
        "\"",
        "{",
        "}",
        "[",
        "]",
        ",",
        "null",
        "123-45-6789",
        "123-",
        "\n",
        "\n\n",
        "\\",
        "0",
        "\"delta\":\"1",
        "\"text\":\"1\",",
        "\"index\":1,",
        "\"finish_reason\":\"stop\",",
        "\r",
        "data: [DONE]\n\n",
        "\"item_id\":\"m\",",
        "\u{e9}",
    ];
    let damage = (
        any::<prop::sample::Index>(),
        0_usize..4,
        prop::sample::select(bits.to_vec()),
    );
    prop::collection::vec(damage, 0..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    /// Whatever comes: no panic, the same wherever it is cut, and no value that was whole in one text.
    #[test]
    fn damaged_answers_are_edited_alike_wherever_they_are_cut(
        case in prop::sample::select(super::CASES),
        damages in damages(),
        chunk in 1_usize..300,
        judged in any::<bool>(),
    ) {
        let mut bytes = case.bytes();
        for (at, gone, put) in &damages {
            let at = at.index(bytes.len());
            let end = bytes.len().min(at + gone);
            bytes.splice(at..end, put.bytes());
        }
        let editor = || {
            let limits = Limits::default();
            let shape = case.shape();
            match AnswerEditor::new(&shape, &limits).filter(|_| judged) {
                Some(mut editor) => {
                    editor.mask(Numbers::boxed());
                    editor
                }
                None => AnswerEditor::unjudged(&shape, &limits, Numbers::boxed()),
            }
        };
        let whole = edit(editor(), [&bytes[..]]);
        prop_assert_eq!(edit(editor(), bytes.chunks(chunk)), whole.clone());
        let out = String::from_utf8_lossy(&whole.0).into_owned();
        prop_assert!(!out.contains(": \"123-45-6789\"") && !out.contains(":\"123-45-6789\""), "{}", out);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_a_client_puts_together_is_what_the_whole_becomes(
        pieces in pieces(),
        escapes in any::<bool>(),
        chunk in 1_usize..200,
    ) {
        for Interface { place, piece, end } in &INTERFACES {
            let mut texts = [const { String::new() }; 3];
            let mut events = Vec::new();
            for (number, (text, words)) in (1_u64..).zip(&pieces) {
                texts[*text].push_str(words);
                events.push(piece(*text, words, number));
            }
            events.extend(end(pieces.len() as u64 + 1, &texts));
            let stream: String = events.iter().map(|event| {
                let event = event.to_string();
                format!("data: {}\n\n", if escapes { escaped(&event) } else { event })
            }).collect();
            let limits = Limits::default();
            let editor = AnswerEditor::unjudged(&shape(*place, true), &limits, Numbers::boxed());
            let (out, result) = edit(editor, stream.as_bytes().chunks(chunk));
            prop_assert_eq!(result, Ok(()));
            let out = String::from_utf8(out).unwrap();
            let masked = seen::of(&out);
            for (key, (form, text)) in seen::of(&stream) {
                prop_assert_eq!(&masked[&key].1, &whole(&text, form), "{} in {}", key, out);
            }
            let found = texts.iter().any(|text| whole(text, enforcer_prompt::Form::Plain) != *text);
            let digits = pieces.iter().any(|(_, piece)| piece.contains(|c: char| c.is_ascii_digit()));
            if !found && !digits {
                prop_assert_eq!(out, stream);
            }
        }
    }
}

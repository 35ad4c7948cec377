//! What a client sees of an answer: the texts it puts together, each under a name of its own.

use std::collections::BTreeMap;

use enforcer_prompt::Form;
use serde_json::Value;

/// Texts by where they belong; those of one place one after the other.
pub(crate) type Seen = BTreeMap<String, (Form, String)>;

/// Reads a stream of events, an array, a document or messages a line.
pub(crate) fn of(answer: &str) -> Seen {
    let mut seen = Seen::new();
    let mut last = None;
    for document in documents(answer) {
        let number = document["sequence_number"].as_u64();
        assert!(
            number.is_none() || number > last,
            "{last:?} before {number:?}"
        );
        last = number.or(last);
        read(&document, &mut seen);
    }
    seen
}

fn documents(answer: &str) -> Vec<Value> {
    if let Ok(document) = serde_json::from_str(answer) {
        return match document {
            Value::Array(elements) => elements,
            one => vec![one],
        };
    }
    answer
        .lines()
        .map(|line| line.strip_prefix("data: ").unwrap_or(line))
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn add(seen: &mut Seen, key: String, form: Form, text: &Value) {
    if let Some(text) = text.as_str() {
        let known = seen.entry(key).or_insert((form, String::new()));
        known.1.push_str(text);
    }
}

/// Something that is said whole, after it was said in pieces or not: always the same.
fn again(seen: &mut Seen, key: String, form: Form, text: &Value) {
    if let Some(text) = text.as_str() {
        let known = seen.entry(key.clone()).or_insert((form, text.to_owned()));
        assert_eq!(known.1, text, "{key}");
    }
}

fn elements(value: &Value) -> impl Iterator<Item = (String, &Value)> {
    let elements = value.as_array().map(Vec::as_slice).unwrap_or_default();
    elements.iter().enumerate().map(|(at, element)| {
        let index = element["index"].as_u64().unwrap_or(at as u64);
        (index.to_string(), element)
    })
}

fn read(document: &Value, seen: &mut Seen) {
    for (choice, value) in elements(&document["choices"]) {
        add(seen, format!("{choice} text"), Form::Plain, &value["text"]);
        for holder in ["delta", "message"] {
            for key in ["content", "refusal", "reasoning_content"] {
                add(
                    seen,
                    format!("{choice} {key}"),
                    Form::Plain,
                    &value[holder][key],
                );
            }
            for (call, inner) in elements(&value[holder]["tool_calls"]) {
                let arguments = &inner["function"]["arguments"];
                add(seen, format!("{choice} call {call}"), Form::Json, arguments);
            }
        }
    }
    for (candidate, value) in elements(&document["candidates"]) {
        for (_, part) in elements(&value["content"]["parts"]) {
            let key = format!("{candidate} {}", part["thought"].as_bool().unwrap_or(false));
            add(seen, key, Form::Plain, &part["text"]);
        }
    }
    match document["type"].as_str() {
        Some("content_block_delta") => {
            for (key, form) in [
                ("text", Form::Plain),
                ("thinking", Form::Plain),
                ("partial_json", Form::Json),
            ] {
                let name = format!("{} {key}", document["index"]);
                add(seen, name, form, &document["delta"][key]);
            }
        }
        Some("message") => {
            for (block, value) in elements(&document["content"]) {
                add(seen, format!("{block} text"), Form::Plain, &value["text"]);
                for key in ["ssn", "id"] {
                    add(
                        seen,
                        format!("{block} {key}"),
                        Form::Plain,
                        &value["input"][key],
                    );
                }
            }
        }
        Some(kind) => events(kind, document, seen),
        None => {}
    }
    threads(document, seen);
    items(&document["output"], seen);
}

fn events(kind: &str, event: &Value, seen: &mut Seen) {
    let item = event["item_id"].as_str().unwrap_or_default();
    let is_call = kind.contains("arguments");
    let (part, form) = match is_call {
        true => ("call".to_owned(), Form::Json),
        false => (
            event["content_index"]
                .as_u64()
                .or(event["summary_index"].as_u64())
                .unwrap_or(0)
                .to_string(),
            Form::Plain,
        ),
    };
    let key = format!("{item} {part}");
    if kind.ends_with(".delta") && !kind.ends_with("audio.delta") {
        add(seen, key, form, &event["delta"]);
        return;
    }
    for whole in ["text", "transcript", "arguments"] {
        again(seen, key.clone(), form, &event[whole]);
        if kind.ends_with("_part.done") {
            again(seen, key.clone(), form, &event["part"][whole]);
        }
    }
    if kind.ends_with("item.done") {
        one(&event["item"], seen);
    }
    items(&event["response"]["output"], seen);
}

fn items(items: &Value, seen: &mut Seen) {
    elements(items).for_each(|(_, item)| one(item, seen));
}

fn one(item: &Value, seen: &mut Seen) {
    let id = item["id"].as_str().unwrap_or_default();
    for list in ["content", "summary"] {
        for (part, value) in elements(&item[list]) {
            for key in ["text", "transcript"] {
                again(seen, format!("{id} {part}"), Form::Plain, &value[key]);
            }
        }
    }
    again(seen, format!("{id} call"), Form::Json, &item["arguments"]);
}

fn threads(event: &Value, seen: &mut Seen) {
    let id = event["id"].as_str().unwrap_or_default();
    for (part, value) in elements(&event["delta"]["content"]) {
        add(
            seen,
            format!("{id} {part}"),
            Form::Plain,
            &value["text"]["value"],
        );
    }
    for (part, value) in elements(&event["content"]) {
        again(
            seen,
            format!("{id} {part}"),
            Form::Plain,
            &value["text"]["value"],
        );
    }
    for (call, value) in elements(&event["delta"]["step_details"]["tool_calls"]) {
        let input = &value["code_interpreter"]["input"];
        add(seen, format!("{id} code {call}"), Form::Plain, input);
    }
    for (call, value) in elements(&event["step_details"]["tool_calls"]) {
        let input = &value["code_interpreter"]["input"];
        again(seen, format!("{id} code {call}"), Form::Plain, input);
    }
}

//! Where texts stand in events of assistants' runs.

use serde_json::Value as Json;

use super::super::text::Form;
use super::channel::{Key, Which};
use super::sheet::{Path, Piece, Sheet, Step, alike};
use crate::json::Value;

pub(super) fn read<'v>(root: &'v Value<'v>, sheet: &mut Sheet<'v>) {
    let text = |name| root.get(name).and_then(Value::as_str).unwrap_or_default();
    let owner = text("id");
    let over = !matches!(text("status"), "" | "in_progress" | "queued" | "cancelling");
    match text("object") {
        "thread.message.delta" => message(root, owner, sheet),
        "thread.run.step.delta" => step(root, owner, sheet),
        "thread.message" | "thread.run.step" if over => {
            sheet.ends.push(Which::Of(owner.to_owned()));
        }
        "thread.run" if over => sheet.ends.push(Which::All),
        _ => {}
    }
}

/// An event that brings what is held of a text.
pub(super) fn event(root: &Value<'_>, piece: &Piece<'_>) -> Json {
    let mut event = alike(root, &["id", "object"]);
    if let Json::Object(members) = piece.path.document() {
        event.extend(members);
    }
    event.into()
}

fn message<'v>(root: &'v Value<'v>, owner: &str, sheet: &mut Sheet<'v>) {
    let path = Path::member("delta").to(Step::Member("content"));
    let parts = root.at(&["delta", "content"]).map(Value::elements);
    for part in parts.unwrap_or_default() {
        let path = path.clone().to(element(part));
        if let Some(text) = part.get("text") {
            let path = path.clone().to(Step::Member("text"));
            let path = path.to(Step::Member("value"));
            if let Some(annotations) = text.get("annotations") {
                sheet.pointers.push((key(owner, &path), annotations));
            }
            piece(text.get("value"), path, (owner, Form::Plain), sheet);
        }
        let path = path.to(Step::Member("refusal"));
        piece(part.get("refusal"), path, (owner, Form::Plain), sheet);
    }
}

fn step<'v>(root: &'v Value<'v>, owner: &str, sheet: &mut Sheet<'v>) {
    let path = Path::member("delta").to(Step::Member("step_details"));
    let path = path.to(Step::Member("tool_calls"));
    let calls = root.at(&["delta", "step_details", "tool_calls"]);
    for call in calls.map(Value::elements).unwrap_or_default() {
        let path = path.clone().to(element(call));
        let function = path.clone().to(Step::Member("function"));
        let arguments = call.at(&["function", "arguments"]);
        let said = function.to(Step::Member("arguments"));
        piece(arguments, said, (owner, Form::Json), sheet);
        let code = path.to(Step::Member("code_interpreter"));
        let input = call.at(&["code_interpreter", "input"]);
        let said = code.clone().to(Step::Member("input"));
        piece(input, said, (owner, Form::Plain), sheet);
        let outputs = call.at(&["code_interpreter", "outputs"]);
        for output in outputs.map(Value::elements).unwrap_or_default() {
            let path = code.clone().to(Step::Member("outputs")).to(element(output));
            let said = path.to(Step::Member("logs"));
            piece(output.get("logs"), said, (owner, Form::Plain), sheet);
        }
    }
}

fn element<'v>(value: &'v Value<'v>) -> Step<'v> {
    let index = value.get("index").and_then(Value::as_u64);
    Step::Element(index, value.get("type").and_then(Value::as_str))
}

fn key(owner: &str, path: &Path<'_>) -> Key {
    Key {
        owner: owner.to_owned(),
        slot: path.slot(),
    }
}

fn piece<'v>(
    value: Option<&'v Value<'v>>,
    path: Path<'v>,
    (owner, form): (&str, Form),
    sheet: &mut Sheet<'v>,
) {
    let Some(value) = value.filter(|it| it.as_str().is_some()) else {
        return;
    };
    let key = key(owner, &path);
    sheet.pieces.push(Piece {
        place: key.slot.clone(),
        key,
        value,
        form,
        path,
    });
}

//! Where texts stand in answers of Gemini: what candidates say, and what they think, each one text over all chunks.

use serde_json::{Value as Json, json};

use super::super::text::Form;
use super::channel::{ARGUMENT, Key, Which};
use super::sheet::{Path, Piece, Sheet, alike};
use super::stencil::HOLE;
use crate::json::Value;
use crate::provider::field;

const ALIKE: &[&str] = &["createTime", "modelVersion", "responseId"];

/// What a thought is called among texts.
const THOUGHT: &str = "thought";

pub(super) fn read<'v>(root: &'v Value<'v>, sheet: &mut Sheet<'v>) {
    let candidates = root.get("candidates").map(Value::elements);
    for (position, candidate) in candidates.unwrap_or_default().iter().enumerate() {
        let index = candidate.get("index").and_then(Value::as_u64);
        let owner = index.unwrap_or(position as u64).to_string();
        let parts = candidate.get("content").and_then(|it| it.get("parts"));
        for (part, value) in parts
            .map(Value::elements)
            .unwrap_or_default()
            .iter()
            .enumerate()
        {
            let place = format!("/candidates/{position}/content/parts/{part}");
            said(value, &owner, &place, sheet);
        }
        // Some say with every chunk that they stop.
        sheet.may_be_last |= field(candidate, "finishReason").is_some();
        for (holder, name) in [
            ("groundingMetadata", "groundingSupports"),
            ("citationMetadata", "citationSources"),
            ("citationMetadata", "citations"),
        ] {
            let list = field(candidate, holder).and_then(|it| field(it, name));
            if let Some(list) = list {
                sheet.pointers.push((key(&owner, "text"), list));
            }
        }
    }
}

fn key(owner: &str, slot: &str) -> Key {
    Key {
        owner: owner.to_owned(),
        slot: slot.to_owned(),
    }
}

fn said<'v>(part: &'v Value<'v>, owner: &str, place: &str, sheet: &mut Sheet<'v>) {
    if let Some(value) = part.get("text").filter(|it| it.as_str().is_some()) {
        let is_thought = part.get("thought").and_then(Value::as_bool) == Some(true);
        let slot = if is_thought { THOUGHT } else { "text" };
        sheet.pieces.push(Piece {
            key: key(owner, slot),
            value,
            form: Form::Plain,
            place: format!("{place}/text"),
            path: Path::member("text"),
        });
    }
    // Arguments that are strings come in pieces, each said by its path.
    let call = field(part, "functionCall");
    let pieces = call.and_then(|call| field(call, "partialArgs"));
    for (at, piece) in pieces
        .map(Value::elements)
        .unwrap_or_default()
        .iter()
        .enumerate()
    {
        let path = field(piece, "jsonPath").and_then(Value::as_str);
        if let (Some(path), Some(value)) = (path, field(piece, "stringValue")) {
            sheet.pieces.push(Piece {
                key: key(owner, &format!("{ARGUMENT}{path}")),
                value,
                form: Form::Plain,
                place: format!("{place}/functionCall/partialArgs/{at}/stringValue"),
                path: Path::member(path.rsplit(['.', '[']).next().unwrap_or(path)),
            });
        }
    }
    let goes_on = call.and_then(|call| field(call, "willContinue"));
    if call.is_some() && goes_on.and_then(Value::as_bool) != Some(true) {
        let arguments = Which::Arguments(owner.to_owned());
        sheet.ends.push(arguments.clone());
        sheet.forgets.push(arguments);
    }
}

/// An event that brings what is held of a text.
pub(super) fn event(root: &Value<'_>, piece: &Piece<'_>) -> Json {
    let part = match piece.key.slot.strip_prefix(ARGUMENT) {
        Some(path) => json!({"functionCall": {
            "partialArgs": [{"jsonPath": path, "stringValue": HOLE, "willContinue": true}],
            "willContinue": true,
        }}),
        None if piece.key.slot == THOUGHT => json!({"text": HOLE, "thought": true}),
        None => json!({"text": HOLE}),
    };
    let index: u64 = piece.key.owner.parse().unwrap_or_default();
    let mut event = alike(root, ALIKE);
    let content = json!({"role": "model", "parts": [part]});
    let candidate = json!({"index": index, "content": content});
    event.insert("candidates".to_owned(), json!([candidate]));
    event.into()
}

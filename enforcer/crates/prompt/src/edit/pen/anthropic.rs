//! Where texts stand in events of Anthropic's messages.

use serde_json::{Value as Json, json};

use super::super::text::Form;
use super::channel::{Key, Which};
use super::known;
use super::sheet::{Path, Piece, Sheet};
use super::stencil::HOLE;
use crate::json::Value;

pub(super) fn read<'v>(root: &'v Value<'v>, sheet: &mut Sheet<'v>) {
    let owner = || {
        let index = root.get("index").and_then(Value::as_u64);
        index.unwrap_or_default().to_string()
    };
    match root.get("type").and_then(Value::as_str) {
        Some("content_block_start") => {
            if let Some(block) = root.get("content_block") {
                for name in ["text", "thinking"] {
                    piece(block, (name, "/content_block"), owner(), sheet);
                }
            }
        }
        Some("content_block_delta") => {
            let delta = root.get("delta");
            for member in delta.map(Value::members).unwrap_or_default() {
                if known::role(member.key()).may_be_said()
                    && let Some(delta) = delta
                {
                    piece(delta, (member.key(), "/delta"), owner(), sheet);
                }
            }
        }
        Some("content_block_stop") => sheet.ends.push(Which::Of(owner())),
        Some("message_delta" | "message_stop") => sheet.ends.push(Which::All),
        Some(_) | None => {}
    }
}

fn piece<'v>(
    holder: &'v Value<'v>,
    (name, place): (&'v str, &str),
    owner: String,
    sheet: &mut Sheet<'v>,
) {
    let Some(value) = holder.get(name).filter(|it| it.as_str().is_some()) else {
        return;
    };
    sheet.pieces.push(Piece {
        key: Key {
            owner,
            slot: name.to_owned(),
        },
        value,
        form: match name {
            "partial_json" => Form::Json,
            _ => Form::Plain,
        },
        place: format!("{place}/{name}"),
        path: Path::member(name),
    });
}

/// An event that brings what is held of a text.
pub(super) fn event(root: &Value<'_>, piece: &Piece<'_>) -> Json {
    let name = piece.key.slot.as_str();
    let said = root.at(&["delta", "type"]).and_then(Value::as_str);
    let kind = match name {
        "text" => "text_delta",
        "thinking" => "thinking_delta",
        "partial_json" => "input_json_delta",
        _ => said.unwrap_or_default(),
    };
    let index = root.get("index").and_then(Value::as_u64);
    json!({
        "type": "content_block_delta",
        "index": index.unwrap_or_default(),
        "delta": {"type": kind, name: HOLE},
    })
}

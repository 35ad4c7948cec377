//! Where texts stand in chunks of chat completions, and of the old completions.

use serde_json::{Value as Json, json};

use super::super::text::Form;
use super::channel::{Key, Which};
use super::known::{self, Role};
use super::sheet::{Path, Piece, Sheet, Step, alike};
use crate::json::Value;

const ALIKE: &[&str] = &[
    "created",
    "id",
    "model",
    "object",
    "provider",
    "service_tier",
    "system_fingerprint",
];

pub(super) fn read<'v>(root: &'v Value<'v>, sheet: &mut Sheet<'v>) {
    let choices = root.get("choices").map(Value::elements).unwrap_or_default();
    for (position, choice) in choices.iter().enumerate() {
        let index = choice.get("index").and_then(Value::as_u64);
        let mut read = Read {
            owner: index.unwrap_or(position as u64).to_string(),
            place: format!("/choices/{position}"),
            sheet,
        };
        if let Some(text) = choice.get("text") {
            read.piece(text, Path::member("text"), Form::Plain);
        }
        if let Some(delta) = choice.get("delta") {
            read.delta(delta);
        }
        let owner = read.owner;
        // Some say with every chunk that they stop for "".
        let reason = choice.get("finish_reason").and_then(Value::as_str);
        if reason.is_some_and(|reason| !reason.is_empty()) {
            sheet.ends.push(Which::Of(owner));
        }
    }
}

/// An event that brings what is held of a text.
pub(super) fn event(root: &Value<'_>, piece: &Piece<'_>) -> Json {
    let index: u64 = piece.key.owner.parse().unwrap_or_default();
    let mut choice = piece.path.document();
    if let Json::Object(choice) = &mut choice {
        choice.insert("index".to_owned(), json!(index));
        choice.insert("finish_reason".to_owned(), Json::Null);
    }
    let mut event = alike(root, ALIKE);
    event.insert("choices".to_owned(), json!([choice]));
    event.into()
}

struct Read<'s, 'v> {
    owner: String,
    place: String,
    sheet: &'s mut Sheet<'v>,
}

impl<'v> Read<'_, 'v> {
    fn delta(&mut self, delta: &'v Value<'v>) {
        let at = Path::member("delta");
        for member in delta.members() {
            let (name, value) = (member.key(), member.value());
            let path = at.clone().to(Step::Member(name));
            match name {
                "tool_calls" => self.calls(value, &path),
                "function_call" => self.inner(value, "arguments", (&path, Form::Json)),
                "audio" => self.inner(value, "transcript", (&path, Form::Plain)),
                "annotations" => {
                    let content = at.clone().to(Step::Member("content"));
                    self.sheet.pointers.push((self.key(&content), value));
                }
                _ if value.as_array().is_some() && known::role(name) == Role::Holder => {
                    self.parts(value, &path);
                }
                _ if known::role(name).may_be_said() => self.piece(value, path, Form::Plain),
                _ => {}
            }
        }
    }

    fn calls(&mut self, calls: &'v Value<'v>, path: &Path<'v>) {
        for call in calls.elements() {
            let index = call.get("index").and_then(Value::as_u64);
            let id = call.get("id").and_then(Value::as_str);
            let path = path.clone().to(match (index, id) {
                (None, Some(id)) => Step::Named(id),
                (index, _) => Step::Element(index, None),
            });
            for (holder, name, form) in [
                ("function", "arguments", Form::Json),
                ("custom", "input", Form::Plain),
            ] {
                if let Some(value) = call.get(holder) {
                    let path = path.clone().to(Step::Member(holder));
                    self.inner(value, name, (&path, form));
                }
            }
        }
    }

    /// Parts that some send in the place of a text, each with pieces of its own.
    fn parts(&mut self, parts: &'v Value<'v>, path: &Path<'v>) {
        for (position, part) in parts.elements().iter().enumerate() {
            let index = part.get("index").and_then(Value::as_u64);
            let kind = part.get("type").and_then(Value::as_str);
            let step = Step::Element(index.or(Some(position as u64)), kind);
            let path = path.clone().to(step);
            for name in ["summary", "text"] {
                self.inner(part, name, (&path, Form::Plain));
            }
            if let Some(thinking) = part.get("thinking") {
                let path = path.clone().to(Step::Member("thinking"));
                self.parts(thinking, &path);
            }
        }
    }

    fn inner(&mut self, holder: &'v Value<'v>, name: &'v str, (path, form): (&Path<'v>, Form)) {
        if let Some(value) = holder.get(name) {
            self.piece(value, path.clone().to(Step::Member(name)), form);
        }
    }

    fn key(&self, path: &Path<'_>) -> Key {
        Key {
            owner: self.owner.clone(),
            slot: path.slot(),
        }
    }

    fn piece(&mut self, value: &'v Value<'v>, path: Path<'v>, form: Form) {
        if value.as_str().is_none() {
            return;
        }
        let key = self.key(&path);
        let place = format!("{}{}", self.place, key.slot);
        self.sheet.pieces.push(Piece {
            key,
            value,
            form,
            place,
            path,
        });
    }
}

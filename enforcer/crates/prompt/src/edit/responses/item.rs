//! What is known of one item of an answer.

use super::super::desk::{Bench, Id, Rulings};
use super::super::{Item, Stop};
use crate::call::{Arguments, ToolKind};
use crate::json::Value;
use crate::provider;
use crate::read::{self, Place};
use crate::{Cause, Undecidable};

/// How an item is named: by its id, and by its response and its place there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key<'k> {
    pub(super) id: Option<&'k str>,
    pub(super) index: Option<(u64, u64)>,
}

/// What is known of one item.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) id: Option<String>,
    pub(super) index: Option<(u64, u64)>,
    /// Its type.
    pub(super) kind: String,
    pub(super) is_call: bool,
    pub(super) name: Option<String>,
    /// Arguments that came in pieces.
    pub(super) pieces: String,
    pub(super) ruling: Id,
    pub(super) ruled: bool,
    /// What was ruled on: the name and the arguments. Later ones must be the same.
    judged: Option<(String, String)>,
}

impl Known {
    pub(super) fn new(key: &Key<'_>, kind: &str, rulings: &mut Rulings) -> Self {
        Self {
            id: key.id.map(str::to_owned),
            index: key.index,
            kind: kind.to_owned(),
            is_call: !provider::is_said(kind),
            name: None,
            pieces: String::new(),
            ruling: rulings.open(),
            ruled: false,
            judged: None,
        }
    }

    pub(super) fn run_by(&self) -> ToolKind {
        provider::item_run_by(&self.kind)
    }

    /// The item is shown again; it must be of the same type.
    pub(super) fn meet(
        &mut self,
        at: &Place<'_>,
        key: &Key<'_>,
        item: &Value<'_>,
    ) -> Result<(), Undecidable> {
        if read::member(at, item, "type")? != self.kind {
            return Err(at.key("type").wrong(Cause::Inconsistent, item));
        }
        self.id = self.id.take().or_else(|| key.id.map(str::to_owned));
        self.index = self.index.or(key.index);
        let name = read::optional(at, item, "name")?;
        match (&self.name, name) {
            (Some(known), Some(name)) if known != name => {
                Err(at.key("name").wrong(Cause::Inconsistent, item))
            }
            (None, Some(name)) => {
                self.name = Some(name.to_owned());
                Ok(())
            }
            (_, _) => Ok(()),
        }
    }

    /// A piece of its arguments, or all of them.
    pub(super) fn add(
        &mut self,
        place: &Place<'_>,
        event: &Value<'_>,
        kind: &str,
    ) -> Result<(), Undecidable> {
        if !is_arguments(kind) {
            return Ok(());
        }
        if self.ruled && self.run_by() != ToolKind::Hosted {
            return Err(place.wrong(Cause::Inconsistent, event));
        }
        if let Some(delta) = read::optional(place, event, "delta")? {
            self.pieces.push_str(delta);
        }
        let whole = ["arguments", "input"].iter().find_map(|key| event.get(key));
        match whole.and_then(Value::as_str) {
            Some(whole) if self.pieces.is_empty() => self.pieces.push_str(whole),
            Some(whole) if whole != self.pieces => {
                return Err(place.wrong(Cause::Inconsistent, event));
            }
            Some(_) | None => {}
        }
        Ok(())
    }

    /// Has ruled on the item, which is complete; a second time only on what is new about it.
    pub(super) fn judge(
        &mut self,
        at: &Place<'_>,
        item: &Value<'_>,
        bench: &mut Bench<'_>,
    ) -> Result<(), Stop> {
        let call = super::call(at, item)?;
        let arguments = match call.arguments {
            Arguments::Text(text) => {
                if !self.pieces.is_empty() && self.pieces != text {
                    return Err(at.key("arguments").wrong(Cause::Inconsistent, item).into());
                }
                text.to_owned()
            }
            Arguments::Value(value) => written(value),
        };
        let asked = (call.name.to_owned(), arguments);
        if let Some(judged) = &self.judged {
            return match (*judged == asked, call.kind) {
                (true, _) => Ok(()),
                // What the provider runs fills as it runs.
                (false, ToolKind::Hosted) => self.again(asked, &Item::Call(call), bench),
                (false, _) => Err(at.wrong(Cause::Inconsistent, item).into()),
            };
        }
        self.judged = Some(asked);
        self.ruled = true;
        bench.close(self.ruling, &Item::Call(call))
    }

    /// What was kept before cannot be taken out any more.
    fn again(
        &mut self,
        asked: (String, String),
        item: &Item<'_>,
        bench: &mut Bench<'_>,
    ) -> Result<(), Stop> {
        self.judged = Some(asked);
        if bench.rulings.is_stripped(self.ruling) {
            return Ok(());
        }
        match bench.rule(item)? {
            super::super::Ruling::Keep => Ok(()),
            super::super::Ruling::Block | super::super::Ruling::Strip => Err(Stop::Blocked),
        }
    }
}

/// A value by what it means, whatever its spaces.
fn written(value: &Value<'_>) -> String {
    let mut text = String::new();
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        text.push_str(value.kind());
        if let Some(string) = value.as_str() {
            text.push_str(string);
        }
        if let Some(number) = value.as_number() {
            text.push_str(number.as_str());
        }
        if let Some(flag) = value.as_bool() {
            text.push_str(if flag { "1" } else { "0" });
        }
        for member in value.members() {
            text.push_str(member.key());
            text.push('\u{1f}');
            open.push(member.value());
        }
        text.push('\u{1e}');
        open.extend(value.elements());
    }
    text
}

/// Whether an event of this type brings arguments of a call.
pub(super) fn is_arguments(kind: &str) -> bool {
    matches!(
        kind,
        "response.custom_tool_call_input.delta"
            | "response.custom_tool_call_input.done"
            | "response.function_call_arguments.delta"
            | "response.function_call_arguments.done"
            | "response.mcp_call_arguments.delta"
            | "response.mcp_call_arguments.done"
    )
}

/// Whether an event of this type brings a piece of what is said.
pub(super) fn is_words(kind: &str) -> bool {
    matches!(
        kind,
        "response.audio_transcript.delta"
            | "response.output_audio_transcript.delta"
            | "response.output_text.delta"
            | "response.text.delta"
    )
}

/// Texts in an item, said or transcribed.
pub(super) fn texts<'v>(item: &'v Value<'v>) -> impl Iterator<Item = &'v str> {
    let parts = item.get("content").map(Value::elements).unwrap_or_default();
    parts.iter().filter_map(|part| {
        let text = part.get("text").or_else(|| part.get("transcript"));
        text.and_then(Value::as_str)
    })
}

//! Answers of Anthropic's messages, whole and as events. A block is complete when it stops.

use std::collections::BTreeMap;

use super::desk::{Bench, Dialect, Id, Rendered, Rulings, Said};
use super::{Item, Stop};
use crate::call::{Arguments, ToolCall, ToolKind};
use crate::json::{Patch, Value};
use crate::provider;
use crate::read::{self, Place};
use crate::{Cause, Undecidable};

#[derive(Debug, Default)]
pub(super) struct Anthropic {
    blocks: BTreeMap<u64, Block>,
}

/// A block that asks for a tool.
#[derive(Debug)]
struct Block {
    kind: ToolKind,
    /// Whether the agent would have to answer it.
    asks: bool,
    name: String,
    id: Option<String>,
    server: Option<String>,
    /// What it began with.
    input: String,
    /// What came after, in pieces.
    pieces: String,
    ruling: Id,
    ruled: bool,
}

impl Dialect for Anthropic {
    fn note(&mut self, said: &Said<'_, '_>, bench: &mut Bench<'_>) -> Result<Vec<Id>, Stop> {
        let root = said.document.root();
        let place = Place::ROOT;
        bench.count(root);
        match root.get("type").and_then(Value::as_str) {
            Some("content_block_start") => self.start(&place, said, bench),
            Some("content_block_delta") => self.delta(&place, root, bench),
            Some("content_block_stop") => {
                let index = index(&place, root)?;
                let Some(block) = self.blocks.get_mut(&index) else {
                    return Ok(Vec::new());
                };
                block.complete(bench)?;
                Ok(vec![block.ruling])
            }
            Some("message_start") => match root.get("message") {
                Some(message) => {
                    bench.count(message);
                    self.whole(&place.key("message"), message, bench)
                }
                None => Ok(Vec::new()),
            },
            Some("message_delta") => {
                let delta = root.get("delta").unwrap_or(root);
                self.stopped(&place.key("delta"), delta, bench)
            }
            Some("message_stop") => {
                self.end(bench)?;
                Ok(Vec::new())
            }
            // All of it at once.
            Some("message") => self.whole(&place, root, bench),
            Some(_) | None if root.get("content").is_some() => self.whole(&place, root, bench),
            Some(_) | None => Ok(Vec::new()),
        }
    }

    fn end(&mut self, bench: &mut Bench<'_>) -> Result<(), Stop> {
        self.blocks
            .values_mut()
            .try_for_each(|block| block.complete(bench))
    }

    fn render(&self, said: &Said<'_, '_>, rulings: &Rulings) -> Rendered {
        let root = said.document.root();
        let mut patch = Patch::default();
        let stripped = |index: u64| {
            let block = self.blocks.get(&index);
            block.is_some_and(|block| rulings.is_stripped(block.ruling))
        };
        if let Some(value) = root.get("index") {
            let index = value.as_u64().unwrap_or(u64::MAX);
            if stripped(index) {
                return Rendered::Dropped;
            }
            let gone = self.blocks.keys().filter(|before| **before < index);
            let gone = gone.filter(|before| stripped(**before)).count() as u64;
            if gone > 0 {
                patch.replace(value, index.saturating_sub(gone).to_string());
            }
        }
        let message = root.get("message").unwrap_or(root);
        if let Some(content) = message.get("content") {
            patch.remove_elements(content, |at| stripped(at as u64));
        }
        let holder = root.get("delta").unwrap_or(message);
        if let Some(reason) = holder.get("stop_reason") {
            let mut asking = self.blocks.values().filter(|block| block.asks);
            let left = asking.any(|block| !rulings.is_stripped(block.ruling));
            if reason.as_str() == Some("tool_use") && !left {
                patch.replace(reason, "\"end_turn\"");
            }
        }
        Rendered::patched(patch, said.document)
    }
}

impl Anthropic {
    fn start(
        &mut self,
        place: &Place<'_>,
        said: &Said<'_, '_>,
        bench: &mut Bench<'_>,
    ) -> Result<Vec<Id>, Stop> {
        let root = said.document.root();
        let index = index(place, root)?;
        let at = place.key("content_block");
        let Some(value) = root.get("content_block") else {
            return Err(at.wrong(Cause::Schema, root).into());
        };
        if self.blocks.contains_key(&index) || self.blocks.len() >= bench.limits.parts {
            return Err(at.wrong(Cause::Inconsistent, value).into());
        }
        let kind = read::member(&at, value, "type")?;
        if provider::block_run_by(kind).is_none() {
            let text = value.get("text").and_then(Value::as_str);
            bench.said(index, text.unwrap_or_default())?;
            return Ok(Vec::new());
        }
        let call = provider::block_call(&at, value)?;
        let input = value.get("input").unwrap_or(value);
        let block = Block {
            kind: call.kind,
            asks: kind == "tool_use",
            name: call.name.to_owned(),
            id: call.id.map(str::to_owned),
            server: call.server.map(str::to_owned),
            input: said.document.raw(input).to_owned(),
            pieces: String::new(),
            ruling: bench.rulings.open(),
            ruled: false,
        };
        let ruling = block.ruling;
        self.blocks.insert(index, block);
        Ok(vec![ruling])
    }

    fn delta(
        &mut self,
        place: &Place<'_>,
        root: &Value<'_>,
        bench: &mut Bench<'_>,
    ) -> Result<Vec<Id>, Stop> {
        let index = index(place, root)?;
        let at = place.key("delta");
        let Some(delta) = root.get("delta") else {
            return Err(at.wrong(Cause::Schema, root).into());
        };
        let text = delta.get("text").and_then(Value::as_str);
        bench.said(index, text.unwrap_or_default())?;
        let piece = read::optional(&at, delta, "partial_json")?;
        match (self.blocks.get_mut(&index), piece) {
            (Some(block), _) if block.ruled => Err(at.wrong(Cause::Inconsistent, delta).into()),
            (Some(block), piece) => {
                block.pieces.push_str(piece.unwrap_or_default());
                Ok(vec![block.ruling])
            }
            // Arguments of nothing that was announced as a call.
            (None, Some(_)) => Err(at.wrong(Cause::Inconsistent, delta).into()),
            (None, None) => Ok(Vec::new()),
        }
    }

    fn stopped(
        &mut self,
        at: &Place<'_>,
        delta: &Value<'_>,
        bench: &mut Bench<'_>,
    ) -> Result<Vec<Id>, Stop> {
        let Some(reason) = read::optional(at, delta, "stop_reason")? else {
            return Ok(Vec::new());
        };
        bench.finished(0, reason);
        self.end(bench)?;
        Ok(self.blocks.values().map(|block| block.ruling).collect())
    }

    /// A message with its content.
    fn whole(
        &mut self,
        at: &Place<'_>,
        message: &Value<'_>,
        bench: &mut Bench<'_>,
    ) -> Result<Vec<Id>, Stop> {
        let mut waits = Vec::new();
        let place = at.key("content");
        let content = match message.get("content") {
            Some(content) => read::list(&place, content)?,
            None => &[],
        };
        for (index, value) in content.iter().enumerate() {
            let at = place.index(index);
            let text = value.get("text").and_then(Value::as_str);
            bench.said(index as u64, text.unwrap_or_default())?;
            let kind = read::member(&at, value, "type")?;
            if provider::block_run_by(kind).is_none() {
                continue;
            }
            let call = provider::block_call(&at, value)?;
            let ruling = bench.rulings.open();
            let block = Block {
                kind: call.kind,
                asks: kind == "tool_use",
                name: String::new(),
                id: None,
                server: None,
                input: String::new(),
                pieces: String::new(),
                ruling,
                ruled: true,
            };
            if self.blocks.insert(index as u64, block).is_some() {
                return Err(at.wrong(Cause::Inconsistent, value).into());
            }
            bench.close(ruling, &Item::Call(call))?;
            waits.push(ruling);
        }
        waits.extend(self.stopped(at, message, bench)?);
        Ok(waits)
    }
}

impl Block {
    /// Has ruled on it, if that was not done yet.
    fn complete(&mut self, bench: &mut Bench<'_>) -> Result<(), Stop> {
        if std::mem::replace(&mut self.ruled, true) {
            return Ok(());
        }
        let begun = !matches!(self.input.as_str(), "{}" | "" | "\"\"" | "null");
        let arguments = match (begun, self.pieces.is_empty()) {
            (_, true) => &self.input,
            (false, false) => &self.pieces,
            // Some readers add the pieces to what it began with, others forget that.
            (true, false) => {
                return Err(Undecidable::new(Cause::Inconsistent, "/delta", 0).into());
            }
        };
        let call = ToolCall {
            kind: self.kind,
            name: &self.name,
            arguments: Arguments::Text(arguments),
            id: self.id.as_deref(),
            server: self.server.as_deref(),
        };
        bench.close(self.ruling, &Item::Call(call))
    }
}

fn index(place: &Place<'_>, root: &Value<'_>) -> Result<u64, Undecidable> {
    let index = root.get("index").and_then(Value::as_u64);
    index.ok_or_else(|| place.key("index").wrong(Cause::Schema, root))
}

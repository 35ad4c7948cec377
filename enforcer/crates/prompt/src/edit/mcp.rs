//! Answers of MCP servers: tools taken out of listings, texts out of results. Every message is whole, so nothing is held.

use super::desk::{Bench, Dialect, Id, Rendered, Rulings, Said};
use super::{Item, Ruling, Stop};
use crate::call::Part;
use crate::json::{Document, Patch, Value};
use crate::read::Place;
use crate::{Cause, mcp};

#[derive(Debug, Default)]
pub(super) struct Mcp {
    /// The document without what was taken out of it.
    edited: Rendered,
}

impl Dialect for Mcp {
    fn note(&mut self, said: &Said<'_, '_>, bench: &mut Bench<'_>) -> Result<Vec<Id>, Stop> {
        let document = said.document;
        let root = document.root();
        let place = Place::ROOT;
        let one = std::slice::from_ref(root);
        let messages = root.as_array().unwrap_or(one);
        if messages.len() > bench.limits.parts {
            return Err(place.wrong(Cause::TooMany, root).into());
        }
        let mut patch = Patch::default();
        for (index, value) in messages.iter().enumerate() {
            let at = place.index(index);
            let at = if root.as_array().is_some() {
                &at
            } else {
                &place
            };
            // Read as strictly as a request; what it says is looked up below, where it can be taken out.
            mcp::message(at, value)?;
            message(document, value, bench, &mut patch)?;
        }
        if !patch.is_empty() {
            bench.something_is_stripped();
        }
        self.edited = Rendered::patched(patch, document);
        Ok(Vec::new())
    }

    /// The older transport says first where messages are to be posted.
    fn is_no_document(&self, event: &[u8]) -> bool {
        event == b"endpoint"
    }

    fn end(&mut self, _: &mut Bench<'_>) -> Result<(), Stop> {
        Ok(())
    }

    fn render(&self, _: &Said<'_, '_>, _: &Rulings) -> Rendered {
        self.edited.clone()
    }
}

fn message(
    document: &Document<'_>,
    message: &Value<'_>,
    bench: &mut Bench<'_>,
    patch: &mut Patch,
) -> Result<(), Stop> {
    let method = message.get("method").and_then(Value::as_str);
    // A server that asks the agent's model, or its person, says something to them too.
    if let (Some("sampling/createMessage" | "elicitation/create"), Some(params)) =
        (method, message.get("params"))
        && bench.rule(&Item::Result(document.raw(params)))? == Ruling::Strip
    {
        return Err(Stop::Blocked);
    }
    let Some(result) = message.get("result") else {
        return Ok(());
    };
    let place = Place::ROOT.key("result");
    for (key, kind) in mcp::LISTINGS {
        let Some(tools) = result.get(key) else {
            continue;
        };
        let at = place.key(key);
        let mut gone = Vec::new();
        for (index, value) in tools.elements().iter().enumerate() {
            let tool = mcp::listed(&at.index(index), kind, value)?;
            if bench.rule(&Item::Listed(tool))? == Ruling::Strip {
                gone.push(index);
            }
        }
        patch.remove_elements(tools, |index| gone.contains(&index));
    }
    for key in mcp::SAYINGS {
        if let Some(parts) = result.get(key) {
            texts(&place.key(key), parts, bench, patch)?;
        }
    }
    let mut gone = Vec::new();
    for key in ["instructions", "structuredContent"] {
        let Some(value) = result.get(key) else {
            continue;
        };
        let text = value.as_str().unwrap_or_else(|| document.raw(value));
        if bench.rule(&Item::Result(text))? == Ruling::Strip {
            gone.push(key);
        }
    }
    patch.remove_members(result, |key| gone.contains(&key));
    Ok(())
}

fn texts(
    at: &Place<'_>,
    parts: &Value<'_>,
    bench: &mut Bench<'_>,
    patch: &mut Patch,
) -> Result<(), Stop> {
    let mut gone = Vec::new();
    for (index, value) in parts.elements().iter().enumerate() {
        let Part::Text(text) = mcp::part(&at.index(index), value)? else {
            continue;
        };
        bench.tally.text += text.len() as u64;
        if bench.rule(&Item::Result(text))? == Ruling::Strip {
            gone.push(index);
        }
    }
    patch.remove_elements(parts, |index| gone.contains(&index));
    Ok(())
}

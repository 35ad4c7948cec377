//! Answers of the responses interface and of realtime sessions: whole, as server-sent events, as messages.
//!
//! Items are known by their id, and by their place in the output of their response. One that asks for a tool is held from
//! where it is announced to where it is done. What the provider runs by itself is judged as soon as it is announced, because
//! nobody can keep it from being run, and once more when it is done.

mod item;
mod render;

use super::desk::{Bench, Dialect, Id, Rendered, Rulings, Said};
use super::{Item, Stop};
use crate::call::{Arguments, ToolCall, ToolKind};
use crate::json::Value;
use crate::provider;
use crate::read::{self, Place};
use crate::{Cause, Undecidable};
use item::{Key, Known};

#[derive(Debug, Default)]
pub(super) struct Responses {
    items: Vec<Known>,
    /// How many responses have begun; indices start anew with each.
    response: u64,
    /// For ids of responses, which of them.
    names: Vec<(String, u64)>,
}

impl Dialect for Responses {
    fn note(&mut self, said: &Said<'_, '_>, bench: &mut Bench<'_>) -> Result<Vec<Id>, Stop> {
        let root = said.document.root();
        let place = Place::ROOT;
        let kind = root.get("type").and_then(Value::as_str).unwrap_or_default();
        self.forget(bench.rulings);
        if self.items.len() > bench.limits.parts || self.names.len() > bench.limits.parts {
            return Err(place.wrong(Cause::TooMany, root).into());
        }
        bench.count(root);
        if let Some(response) = root.get("response").filter(|it| it.as_object().is_some()) {
            self.begin(kind, response);
            bench.count(response);
            return self.snapshot(&place.key("response"), response, bench);
        }
        if let Some(item) = root.get("item").filter(|it| it.as_object().is_some()) {
            return self.item(&place, root, item, bench);
        }
        if root.get("output").is_some() || root.get("data").is_some() {
            return self.snapshot(&place, root, bench);
        }
        self.piece(&place, root, bench)
    }

    fn end(&mut self, bench: &mut Bench<'_>) -> Result<(), Stop> {
        self.items
            .iter_mut()
            .filter(|item| item.is_call && !item.ruled)
            .try_for_each(|item| {
                item.ruled = true;
                let name = item.name.clone().unwrap_or_else(|| item.kind.clone());
                let call = ToolCall {
                    kind: provider::item_run_by(&item.kind),
                    name: &name,
                    arguments: Arguments::Text(&item.pieces),
                    id: item.id.as_deref(),
                    server: None,
                };
                bench.close(item.ruling, &Item::Call(call))
            })
    }

    fn render(&self, said: &Said<'_, '_>, rulings: &Rulings) -> Rendered {
        render::render(self, said, rulings)
    }
}

impl Responses {
    /// Forgets what was before the current response. A session may last for days; what shows again is ruled on again.
    fn forget(&mut self, rulings: &mut Rulings) {
        /// As many items as a response may have before anybody has to count.
        const MANY: usize = 256;
        // While something waits for a ruling, frames wait that have to be rendered by what is known.
        let waiting = self.items.iter().any(|item| item.is_call && !item.ruled);
        if waiting || self.items.len().max(self.names.len()) < MANY {
            return;
        }
        let current = self.response;
        self.items
            .retain(|item| item.index.is_some_and(|(response, _)| response == current));
        self.names.retain(|(_, response)| *response == current);
        rulings.forget_before(self.items.iter().map(|item| item.ruling).min());
    }

    /// Notes which response is spoken of.
    fn begin(&mut self, kind: &str, response: &Value<'_>) {
        let name = response.get("id").and_then(Value::as_str);
        let known = name.is_some_and(|name| self.names.iter().any(|(known, _)| known == name));
        if !known && (kind == "response.created" || name.is_some()) {
            self.response += 1;
            if let Some(name) = name {
                self.names.push((name.to_owned(), self.response));
            }
        }
    }

    /// The response that an event belongs to.
    fn response_of(&self, event: &Value<'_>) -> u64 {
        let name = event.get("response_id").and_then(Value::as_str);
        name.and_then(|name| self.names.iter().find(|(known, _)| known == name))
            .map_or(self.response, |(_, response)| *response)
    }

    fn key<'v>(&self, event: &'v Value<'v>, item: Option<&'v Value<'v>>) -> Key<'v> {
        let id = match item {
            Some(item) => item.get("id"),
            None => event.get("item_id"),
        };
        let index = event.get("output_index").and_then(Value::as_u64);
        Key {
            id: id.and_then(Value::as_str),
            index: index.map(|index| (self.response_of(event), index)),
        }
    }

    fn find(&self, key: &Key<'_>) -> Option<usize> {
        let by_id = self
            .items
            .iter()
            .position(|item| item.id.is_some() && item.id.as_deref() == key.id);
        by_id.or_else(|| {
            self.items
                .iter()
                .position(|item| item.index.is_some() && item.index == key.index)
        })
    }

    /// An event that brings an item: announced, done, or shown.
    fn item(
        &mut self,
        place: &Place<'_>,
        event: &Value<'_>,
        item: &Value<'_>,
        bench: &mut Bench<'_>,
    ) -> Result<Vec<Id>, Stop> {
        let at = place.key("item");
        let key = self.key(event, Some(item));
        let kind = read::member(&at, item, "type")?;
        let position = match self.find(&key) {
            Some(position) => position,
            None => {
                self.items.push(Known::new(&key, kind, bench.rulings));
                self.items.len() - 1
            }
        };
        let Some(known) = self.items.get_mut(position) else {
            return Ok(Vec::new());
        };
        known.meet(&at, &key, item)?;
        if !known.is_call {
            // Its pieces were heard and counted; all of it is what clients may take instead.
            item::texts(item).try_for_each(|text| bench.hear(text))?;
            return Ok(Vec::new());
        }
        let event = event
            .get("type")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let complete = item.get("status").and_then(Value::as_str) == Some("completed");
        // What the agent itself put into the conversation comes back complete, and is never done.
        let done = complete || event.ends_with(".done") || event.ends_with(".retrieved");
        if done || known.run_by() == ToolKind::Hosted {
            known.judge(&at, item, bench)?;
        }
        Ok(vec![known.ruling])
    }

    /// A piece of an item, or an event that is about none.
    fn piece(
        &mut self,
        place: &Place<'_>,
        event: &Value<'_>,
        bench: &mut Bench<'_>,
    ) -> Result<Vec<Id>, Stop> {
        let kind = event
            .get("type")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if let (true, Some(delta)) = (
            item::is_words(kind),
            event.get("delta").and_then(Value::as_str),
        ) {
            let index = event.get("output_index").and_then(Value::as_u64);
            bench.said(index.unwrap_or(0), delta)?;
        }
        let key = self.key(event, None);
        let position = match self.find(&key) {
            Some(position) => position,
            // Pieces of a call that was never announced must not slip by.
            None if item::is_arguments(kind) => {
                self.items
                    .push(Known::new(&key, "function_call", bench.rulings));
                self.items.len() - 1
            }
            None => return Ok(Vec::new()),
        };
        let Some(known) = self.items.get_mut(position) else {
            return Ok(Vec::new());
        };
        if !known.is_call {
            if item::is_arguments(kind) {
                return Err(place.wrong(Cause::Inconsistent, event).into());
            }
            return Ok(Vec::new());
        }
        known.add(place, event, kind)?;
        Ok(vec![known.ruling])
    }

    /// A response, or a list of items, with all that is in it so far.
    fn snapshot(
        &mut self,
        place: &Place<'_>,
        holder: &Value<'_>,
        bench: &mut Bench<'_>,
    ) -> Result<Vec<Id>, Stop> {
        let mut waits = Vec::new();
        if let Some(status) = holder.get("status").and_then(Value::as_str)
            && !matches!(status, "in_progress" | "queued")
        {
            bench.finished(0, status);
        }
        let name = holder.get("id").and_then(Value::as_str);
        let response = name
            .and_then(|name| self.names.iter().find(|(known, _)| known == name))
            .map_or(self.response, |(_, response)| *response);
        for list in ["output", "data"] {
            let Some(items) = holder.get(list).filter(|it| it.as_array().is_some()) else {
                continue;
            };
            let at = place.key(list);
            for (index, item) in items.elements().iter().enumerate() {
                let at = at.index(index);
                if item.as_object().is_none() {
                    return Err(at.wrong(Cause::Schema, item).into());
                }
                waits.extend(self.element(&at, (response, index as u64), item, bench)?);
            }
        }
        Ok(waits)
    }

    fn element(
        &mut self,
        at: &Place<'_>,
        index: (u64, u64),
        item: &Value<'_>,
        bench: &mut Bench<'_>,
    ) -> Result<Option<Id>, Stop> {
        let kind = read::member(at, item, "type")?;
        let key = Key {
            id: item.get("id").and_then(Value::as_str),
            index: Some(index),
        };
        let position = match self.find(&key) {
            Some(position) => position,
            None => {
                if provider::is_said(kind) {
                    item::texts(item).try_for_each(|text| {
                        bench.tally.text += text.len() as u64;
                        bench.hear(text)
                    })?;
                    return Ok(None);
                }
                self.items.push(Known::new(&key, kind, bench.rulings));
                self.items.len() - 1
            }
        };
        let Some(known) = self.items.get_mut(position) else {
            return Ok(None);
        };
        known.meet(at, &key, item)?;
        if !known.is_call {
            item::texts(item).try_for_each(|text| bench.hear(text))?;
            return Ok(None);
        }
        known.judge(at, item, bench)?;
        Ok(Some(known.ruling))
    }
}

/// A call as an item has it; of a type that is not known, all of it.
fn call<'b>(at: &Place<'_>, item: &'b Value<'b>) -> Result<ToolCall<'b>, Undecidable> {
    if let Some(call) = provider::item_call(at, item)? {
        return Ok(call);
    }
    Ok(ToolCall {
        kind: ToolKind::Unknown,
        name: read::member(at, item, "type")?,
        arguments: Arguments::Value(item),
        id: read::optional(at, item, "id")?,
        server: None,
    })
}

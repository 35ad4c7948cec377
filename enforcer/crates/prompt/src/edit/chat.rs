//! Answers of chat completions, whole and as deltas.
//!
//! A call is complete when one with a higher index begins, when its choice gives a reason to stop, or when the stream ends.

use std::collections::BTreeMap;

use super::desk::{Bench, Dialect, Id, Rendered, Rulings, Said};
use super::{Item, Ruling, Stop};
use crate::call::{Arguments, ToolCall, ToolKind};
use crate::json::{Patch, Value};
use crate::provider;
use crate::read::{self, Place};
use crate::{Cause, Undecidable};

#[derive(Debug, Default)]
pub(super) struct Chat {
    choices: BTreeMap<u64, Choice>,
}

#[derive(Debug, Default)]
struct Choice {
    index: u64,
    calls: Vec<Call>,
}

#[derive(Debug)]
struct Call {
    slot: Slot,
    ruling: Id,
    ruled: bool,
    id: Option<String>,
    kind: ToolKind,
    name: String,
    arguments: String,
}

/// Where a call stands in its choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Slot {
    /// In `tool_calls` of deltas, by its index.
    Delta(u64),
    /// In the old `function_call` of deltas.
    Legacy,
    /// In `tool_calls` of a whole message, by its position.
    Whole(u64),
    /// In the old `function_call` of a whole message.
    WholeLegacy,
}

impl Dialect for Chat {
    fn note(&mut self, said: &Said<'_, '_>, bench: &mut Bench<'_>) -> Result<Vec<Id>, Stop> {
        let root = said.document.root();
        bench.count(root);
        let mut waits = Vec::new();
        let Some(choices) = root.get("choices") else {
            stored(root, bench)?;
            return Ok(waits);
        };
        let at = Place::ROOT.key("choices");
        for (position, value) in read::list(&at, choices)?.iter().enumerate() {
            let at = at.index(position);
            let index = index_of(value, position);
            if !self.choices.contains_key(&index) && self.choices.len() >= bench.limits.parts {
                return Err(at.wrong(Cause::TooMany, value).into());
            }
            let choice = self.choices.entry(index).or_default();
            choice.index = index;
            if let Some(delta) = value.get("delta").filter(|it| !it.is_null()) {
                choice.delta(&at.key("delta"), delta, bench, &mut waits)?;
            }
            if let Some(message) = value.get("message").filter(|it| !it.is_null()) {
                choice.message(&at.key("message"), message, bench, &mut waits)?;
            }
            if let Some(reason) = read::optional(&at, value, "finish_reason")? {
                bench.finished(index, reason);
                choice.complete(bench)?;
                waits.extend(choice.calls.iter().map(|call| call.ruling));
            }
        }
        Ok(waits)
    }

    fn end(&mut self, bench: &mut Bench<'_>) -> Result<(), Stop> {
        self.choices
            .values_mut()
            .try_for_each(|choice| choice.complete(bench))
    }

    fn render(&self, said: &Said<'_, '_>, rulings: &Rulings) -> Rendered {
        let root = said.document.root();
        let mut patch = Patch::default();
        let choices = root.get("choices").map(Value::elements).unwrap_or_default();
        let mut says_something = root.get("usage").is_some_and(|usage| !usage.is_null());
        for (position, value) in choices.iter().enumerate() {
            let Some(choice) = self.choices.get(&index_of(value, position)) else {
                continue;
            };
            says_something |= choice.render(value, rulings, &mut patch);
        }
        if says_something || patch.is_empty() {
            Rendered::patched(patch, said.document)
        } else {
            Rendered::Dropped
        }
    }
}

/// Completions that the provider has stored, listed with their calls: what was taken out once does not come back this way.
fn stored(root: &Value<'_>, bench: &mut Bench<'_>) -> Result<(), Stop> {
    let at = Place::ROOT.key("data");
    for completion in root.get("data").map(Value::elements).unwrap_or_default() {
        let choices = completion.get("choices").map(Value::elements);
        for choice in choices.unwrap_or_default() {
            let calls = choice.at(&["message", "tool_calls"]).map(Value::elements);
            for call in calls.unwrap_or_default() {
                let call = provider::chat_call(&at, call)?;
                if bench.rule(&Item::Call(call))? == Ruling::Strip {
                    return Err(Stop::Blocked);
                }
            }
        }
    }
    Ok(())
}

fn index_of(choice: &Value<'_>, position: usize) -> u64 {
    let index = choice.get("index").and_then(Value::as_u64);
    index.unwrap_or(position as u64)
}

impl Choice {
    fn delta(
        &mut self,
        at: &Place<'_>,
        delta: &Value<'_>,
        bench: &mut Bench<'_>,
        waits: &mut Vec<Id>,
    ) -> Result<(), Stop> {
        let text = delta.get("content").and_then(Value::as_str);
        bench.said(self.index, text.unwrap_or_default())?;
        if let Some(calls) = delta.get("tool_calls") {
            let at = at.key("tool_calls");
            for (position, value) in read::list(&at, calls)?.iter().enumerate() {
                let at = at.index(position);
                let index = value.get("index").and_then(Value::as_u64);
                let index = index.ok_or_else(|| at.key("index").wrong(Cause::Schema, value))?;
                let inner = ["function", "custom"]
                    .iter()
                    .find_map(|key| value.get(key))
                    .filter(|inner| !inner.is_null());
                let call = self.call(&at, value, Slot::Delta(index), bench)?;
                call.add(&at, value, inner)?;
                waits.push(call.ruling);
            }
        }
        if let Some(value) = delta.get("function_call").filter(|it| !it.is_null()) {
            let at = at.key("function_call");
            let call = self.call(&at, value, Slot::Legacy, bench)?;
            call.add(&at, value, Some(value))?;
            waits.push(call.ruling);
        }
        Ok(())
    }

    /// The call in a slot, which may begin here and makes those before it complete.
    fn call(
        &mut self,
        at: &Place<'_>,
        value: &Value<'_>,
        slot: Slot,
        bench: &mut Bench<'_>,
    ) -> Result<&mut Call, Stop> {
        let position = self.calls.iter().position(|call| call.slot == slot);
        let position = match position {
            Some(position) => position,
            None => {
                if self.calls.iter().any(|call| call.slot > slot) {
                    return Err(at.wrong(Cause::Inconsistent, value).into());
                }
                self.complete(bench)?;
                self.calls.push(Call {
                    slot,
                    ruling: bench.rulings.open(),
                    ruled: false,
                    id: None,
                    kind: ToolKind::Function,
                    name: String::new(),
                    arguments: String::new(),
                });
                self.calls.len() - 1
            }
        };
        match self.calls.get_mut(position) {
            Some(call) if !call.ruled => Ok(call),
            Some(_) | None => Err(at.wrong(Cause::Inconsistent, value).into()),
        }
    }

    fn message(
        &mut self,
        at: &Place<'_>,
        message: &Value<'_>,
        bench: &mut Bench<'_>,
        waits: &mut Vec<Id>,
    ) -> Result<(), Stop> {
        let text = message.get("content").and_then(Value::as_str);
        bench.said(self.index, text.unwrap_or_default())?;
        let calls = at.key("tool_calls");
        if let Some(value) = message.get("tool_calls") {
            for (position, value) in read::list(&calls, value)?.iter().enumerate() {
                let call = provider::chat_call(&calls.index(position), value)?;
                waits.push(self.whole(Slot::Whole(position as u64), call, bench)?);
            }
        }
        if let Some(value) = message.get("function_call").filter(|it| !it.is_null()) {
            let call = provider::function_call(&at.key("function_call"), value, None)?;
            waits.push(self.whole(Slot::WholeLegacy, call, bench)?);
        }
        Ok(())
    }

    fn whole(&mut self, slot: Slot, call: ToolCall<'_>, bench: &mut Bench<'_>) -> Result<Id, Stop> {
        let ruling = bench.rulings.open();
        self.calls.push(Call {
            slot,
            ruling,
            ruled: true,
            id: None,
            kind: call.kind,
            name: String::new(),
            arguments: String::new(),
        });
        bench.close(ruling, &Item::Call(call))?;
        Ok(ruling)
    }

    /// Has ruled on every call that was not yet.
    fn complete(&mut self, bench: &mut Bench<'_>) -> Result<(), Stop> {
        for call in self.calls.iter_mut().filter(|call| !call.ruled) {
            call.ruled = true;
            let asked = ToolCall {
                kind: call.kind,
                name: &call.name,
                arguments: Arguments::Text(&call.arguments),
                id: call.id.as_deref(),
                server: None,
            };
            bench.close(call.ruling, &Item::Call(asked))?;
        }
        Ok(())
    }

    /// Notes the changes to one choice; says whether it still says anything.
    fn render(&self, value: &Value<'_>, rulings: &Rulings, patch: &mut Patch) -> bool {
        let stripped = |slot: Slot| {
            self.calls
                .iter()
                .any(|call| call.slot == slot && rulings.is_stripped(call.ruling))
        };
        let mut says_something = false;
        if let Some(delta) = value.get("delta") {
            let calls = delta.get("tool_calls");
            let elements = calls.map(Value::elements).unwrap_or_default();
            let slots: Vec<_> = elements
                .iter()
                .map(|element| {
                    element
                        .get("index")
                        .and_then(Value::as_u64)
                        .map(Slot::Delta)
                })
                .collect();
            let gone = |at: usize| slots.get(at).copied().flatten().is_some_and(stripped);
            self.renumber(elements, rulings, patch);
            says_something |= take_out(delta, calls, patch, (gone, stripped(Slot::Legacy)));
            says_something |= delta.members().iter().any(|member| {
                !member.value().is_null()
                    && member.key() != "tool_calls"
                    && !(member.key() == "function_call" && stripped(Slot::Legacy))
            });
        }
        if let Some(message) = value.get("message") {
            let gone = |at: usize| stripped(Slot::Whole(at as u64));
            let calls = message.get("tool_calls");
            take_out(message, calls, patch, (gone, stripped(Slot::WholeLegacy)));
            says_something = true;
        }
        if let Some(reason) = value.get("finish_reason").filter(|it| !it.is_null()) {
            says_something = true;
            let left = self
                .calls
                .iter()
                .any(|call| !rulings.is_stripped(call.ruling));
            if matches!(reason.as_str(), Some("tool_calls" | "function_call")) && !left {
                patch.replace(reason, "\"stop\"");
            }
        }
        says_something
    }

    /// Gives the calls that stay the indices they would have alone.
    fn renumber(&self, elements: &[Value<'_>], rulings: &Rulings, patch: &mut Patch) {
        for element in elements {
            let Some((value, index)) = element
                .get("index")
                .and_then(|value| Some((value, value.as_u64()?)))
            else {
                continue;
            };
            let before = self
                .calls
                .iter()
                .filter(|call| call.slot < Slot::Delta(index) && rulings.is_stripped(call.ruling))
                .count() as u64;
            if before > 0 {
                patch.replace(value, (index - before).to_string());
            }
        }
    }
}

/// Takes calls out of a list of them, and the list out of what holds it when nothing is left; beside it the old
/// `function_call`. Says whether the list has any left.
fn take_out(
    holder: &Value<'_>,
    calls: Option<&Value<'_>>,
    patch: &mut Patch,
    (gone, legacy): (impl Fn(usize) -> bool, bool),
) -> bool {
    let count = calls.map_or(0, |calls| calls.elements().len());
    let left = (0..count).filter(|at| !gone(*at)).count();
    let emptied = left == 0 && count > 0;
    if let Some(calls) = calls
        && !emptied
    {
        patch.remove_elements(calls, gone);
    }
    patch.remove_members(holder, |key| match key {
        "tool_calls" => emptied,
        "function_call" => legacy,
        _ => false,
    });
    left > 0
}

impl Call {
    /// Adds what a delta says of it.
    fn add(
        &mut self,
        at: &Place<'_>,
        value: &Value<'_>,
        inner: Option<&Value<'_>>,
    ) -> Result<(), Undecidable> {
        let id = read::optional(at, value, "id")?.filter(|id| !id.is_empty());
        match (&self.id, id) {
            // Two calls in one place would be one call for some readers.
            (Some(known), Some(id)) if known != id => {
                return Err(at.key("id").wrong(Cause::Inconsistent, value));
            }
            (None, Some(id)) => self.id = Some(id.to_owned()),
            (_, _) => {}
        }
        match read::optional(at, value, "type")? {
            Some("function") | None => {}
            Some("custom") => self.kind = ToolKind::Custom,
            Some(other) => {
                self.kind = ToolKind::Unknown;
                other.clone_into(&mut self.name);
            }
        }
        let Some(inner) = inner else {
            return Ok(());
        };
        if let Some(name) = read::optional(at, inner, "name")? {
            // Some send the whole name with each delta, none in pieces; SDKs add them up.
            if !name.is_empty() && !self.name.is_empty() {
                return Err(at.key("name").wrong(Cause::Inconsistent, inner));
            }
            self.name.push_str(name);
        }
        for key in ["arguments", "input"] {
            let piece = read::optional(at, inner, key)?;
            self.arguments.push_str(piece.unwrap_or_default());
        }
        Ok(())
    }
}

//! Answers of assistants' runs. A run that waits for outputs of tools waits for all of them, so that a call cannot be taken
//! out of it: stripping ends the answer here.

use super::desk::{Bench, Dialect, Id, Rendered, Rulings, Said};
use super::{Item, Ruling, Stop};
use crate::json::Value;
use crate::provider;
use crate::read::{self, Place};

#[derive(Debug, Default)]
pub(super) struct Assistants {
    /// Functions that steps show before the run asks for them.
    shown: Option<Id>,
}

impl Dialect for Assistants {
    fn note(&mut self, said: &Said<'_, '_>, bench: &mut Bench<'_>) -> Result<Vec<Id>, Stop> {
        let root = said.document.root();
        let place = Place::ROOT;
        bench.count(root);
        if let Some(status) = root.get("status").and_then(Value::as_str)
            && matches!(status, "completed" | "failed" | "incomplete" | "expired")
        {
            bench.finished(0, status);
        }
        let one = std::slice::from_ref(root);
        let listed = root.get("data").and_then(Value::as_array).unwrap_or(one);
        let mut shows = false;
        for element in listed {
            words(element, bench)?;
            let path = ["required_action", "submit_tool_outputs", "tool_calls"];
            if let Some(calls) = element.at(&path) {
                let at = place.key("required_action");
                for (index, call) in read::list(&at, calls)?.iter().enumerate() {
                    judge(&at.index(index), call, bench)?;
                }
                self.settle(bench);
            }
            shows |= self.step(&place, element, bench)?;
        }
        if !shows {
            return Ok(Vec::new());
        }
        let shown = *self.shown.get_or_insert_with(|| bench.rulings.open());
        Ok(vec![shown])
    }

    fn end(&mut self, _: &mut Bench<'_>) -> Result<(), Stop> {
        Ok(())
    }

    fn render(&self, _: &Said<'_, '_>, _: &Rulings) -> Rendered {
        Rendered::Same
    }
}

impl Assistants {
    /// What steps showed has been ruled on as what the run asks for.
    fn settle(&mut self, bench: &mut Bench<'_>) {
        if let Some(shown) = self.shown.take() {
            bench.rulings.keep(shown);
        }
    }

    /// A step of a run: complete ones are judged, and whether it shows functions that are not.
    fn step(
        &mut self,
        place: &Place<'_>,
        step: &Value<'_>,
        bench: &mut Bench<'_>,
    ) -> Result<bool, Stop> {
        let delta = step.at(&["delta", "step_details", "tool_calls"]);
        let whole = step.at(&["step_details", "tool_calls"]);
        let Some(calls) = delta.or(whole) else {
            return Ok(false);
        };
        let at = place.key("step_details");
        let functions: Vec<_> = read::list(&at, calls)?
            .iter()
            .filter(|call| call.get("type").and_then(Value::as_str) == Some("function"))
            .collect();
        if functions.is_empty() {
            return Ok(false);
        }
        let status = step.get("status").and_then(Value::as_str);
        if delta.is_some() || status == Some("in_progress") {
            return Ok(true);
        }
        for call in functions {
            judge(&at, call, bench)?;
        }
        self.settle(bench);
        Ok(false)
    }
}

/// What a message of the thread says, whole or as a delta.
fn words(element: &Value<'_>, bench: &mut Bench<'_>) -> Result<(), Stop> {
    let holder = element.get("delta").unwrap_or(element);
    for part in holder
        .get("content")
        .map(Value::elements)
        .unwrap_or_default()
    {
        let text = part.at(&["text", "value"]).and_then(Value::as_str);
        bench.said(0, text.unwrap_or_default())?;
    }
    Ok(())
}

fn judge(at: &Place<'_>, call: &Value<'_>, bench: &mut Bench<'_>) -> Result<(), Stop> {
    let call = provider::chat_call(at, call)?;
    match bench.rule(&Item::Call(call))? {
        Ruling::Keep => Ok(()),
        Ruling::Block | Ruling::Strip => Err(Stop::Blocked),
    }
}

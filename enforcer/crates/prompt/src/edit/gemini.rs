//! Answers of Gemini: every call is whole where it stands, so nothing is ever held.

use super::desk::{Bench, Dialect, Id, Rendered, Rulings, Said};
use super::{Item, Ruling, Stop};
use crate::call::{Arguments, ToolCall, ToolKind};
use crate::json::{Patch, Value};
use crate::provider;
use crate::read::{self, Place};

#[derive(Debug, Default)]
pub(super) struct Gemini {
    /// The document without what was taken out of it.
    edited: Rendered,
}

impl Dialect for Gemini {
    fn note(&mut self, said: &Said<'_, '_>, bench: &mut Bench<'_>) -> Result<Vec<Id>, Stop> {
        let root = said.document.root();
        let place = Place::ROOT;
        let mut patch = Patch::default();
        bench.count(root);
        if let Some(candidates) = root.get("candidates") {
            let at = place.key("candidates");
            for (position, candidate) in read::list(&at, candidates)?.iter().enumerate() {
                let at = at.index(position);
                if let Some(reason) = provider::field(candidate, "finishReason") {
                    let index = candidate.get("index").and_then(Value::as_u64);
                    let reason = reason.as_str().unwrap_or_default();
                    bench.finished(index.unwrap_or(position as u64), reason);
                }
                let content = candidate.get("content");
                if let Some(parts) = content.and_then(|content| content.get("parts")) {
                    let parts = (position as u64, parts);
                    self::parts(&at.key("content").key("parts"), parts, bench, &mut patch)?;
                }
            }
        }
        self.edited = Rendered::patched(patch, said.document);
        Ok(Vec::new())
    }

    fn end(&mut self, _: &mut Bench<'_>) -> Result<(), Stop> {
        Ok(())
    }

    fn render(&self, _: &Said<'_, '_>, _: &Rulings) -> Rendered {
        self.edited.clone()
    }
}

fn parts(
    at: &Place<'_>,
    (candidate, parts): (u64, &Value<'_>),
    bench: &mut Bench<'_>,
    patch: &mut Patch,
) -> Result<(), Stop> {
    let mut gone = Vec::new();
    for (position, part) in read::list(at, parts)?.iter().enumerate() {
        let at = at.index(position);
        provider::once(&at, part)?;
        let text = part.get("text").and_then(Value::as_str);
        bench.said(candidate, text.unwrap_or_default())?;
        for member in part.members() {
            let (key, value) = (member.key(), member.value());
            let call = match &*provider::camel(key) {
                "functionCall" => provider::gemini_call(&at.key(key), value)?,
                "executableCode" | "toolCall" => provider::gemini_hosted(key, value),
                "text"
                | "inlineData"
                | "fileData"
                | "functionResponse"
                | "codeExecutionResult"
                | "toolResponse"
                | "thought"
                | "thoughtSignature"
                | "videoMetadata"
                | "mediaResolution"
                | "partMetadata" => continue,
                _ => ToolCall {
                    kind: ToolKind::Unknown,
                    name: key,
                    arguments: Arguments::Value(value),
                    id: None,
                    server: None,
                },
            };
            if bench.rule(&Item::Call(call))? == Ruling::Strip {
                gone.push(position);
            }
        }
    }
    if !gone.is_empty() {
        bench.something_is_stripped();
        patch.remove_elements(parts, |position| gone.contains(&position));
    }
    Ok(())
}

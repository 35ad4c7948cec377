//! `POST …/embeddings`, and lists of texts as other operations have them too.

use crate::call::{Message, ModelCall, Part, Role, Unknown};
use crate::json::Value;
use crate::read::{self, Notes, Place};
use crate::{Cause, Undecidable};

const KNOWN: &[&str] = &["input", "model"];

pub(super) fn read<'b>(
    call: &mut ModelCall<'b>,
    root: &'b Value<'b>,
    notes: &mut Notes<'b>,
) -> Result<(), Undecidable> {
    read::members(root, KNOWN, notes, |key, at, value| {
        match key {
            "input" => texts(call, at, value)?,
            "model" => call.model = call.model.or(read::text(at, value)?),
            "dimensions" | "encoding_format" | "user" => {}
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    if root.get("input").is_none() {
        return Err(Place::ROOT.key("input").wrong(Cause::Schema, root));
    }
    Ok(())
}

/// A text or texts. Tokens instead of words are legal and unreadable, therefore unknown.
pub(super) fn texts<'b>(
    call: &mut ModelCall<'b>,
    at: &Place<'_>,
    value: &'b Value<'b>,
) -> Result<(), Undecidable> {
    if let Some(text) = value.as_str() {
        call.messages.push(Message::user(text));
        return Ok(());
    }
    let elements = read::list(at, value)?;
    let mut parts = Vec::with_capacity(elements.len());
    for (index, element) in elements.iter().enumerate() {
        match element.as_str() {
            Some(text) => parts.push(Part::Text(text)),
            None if element.as_array().is_some() || element.as_number().is_some() => {
                parts.push(Part::Unknown(Unknown {
                    place: at.index(index).pointer(),
                    name: "tokens",
                    value: element,
                }));
                // One number is enough to know that all of them are tokens.
                if element.as_number().is_some() {
                    break;
                }
            }
            None => return Err(at.index(index).wrong(Cause::Schema, element)),
        }
    }
    call.messages.push(Message {
        role: Role::User,
        name: None,
        parts,
    });
    Ok(())
}

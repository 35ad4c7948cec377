//! `POST …/moderations`.

use super::embeddings::texts;
use super::items;
use crate::call::{Message, ModelCall, Part, Role};
use crate::json::Value;
use crate::provider::attachment;
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
            "input" if value.elements().iter().any(|it| it.as_object().is_some()) => {
                let parts = value
                    .elements()
                    .iter()
                    .enumerate()
                    .map(|(index, element)| part(&at.index(index), element))
                    .collect::<Result<_, _>>()?;
                call.messages.push(Message {
                    role: Role::User,
                    name: None,
                    parts,
                });
            }
            "input" => texts(call, at, value)?,
            "model" => call.model = call.model.or(read::text(at, value)?),
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    if root.get("input").is_none() {
        return Err(Place::ROOT.key("input").wrong(Cause::Schema, root));
    }
    Ok(())
}

fn part<'b>(at: &Place<'_>, value: &'b Value<'b>) -> Result<Part<'b>, Undecidable> {
    if let Some(image) = value.get("image_url") {
        let url = read::member(&at.key("image_url"), image, "url")?;
        return Ok(Part::Attachment(attachment::from_url("image", url)));
    }
    items::part(at, value)
}

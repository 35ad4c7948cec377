//! `POST …/images/…` and `…/videos` as JSON; with files they are multipart.

use crate::Undecidable;
use crate::call::{Attachment, Message, ModelCall};
use crate::json::Value;
use crate::provider::attachment;
use crate::read::{self, Notes, Place};

const KNOWN: &[&str] = &["prompt", "model", "n", "stream", "image", "images", "mask"];

pub(super) fn read<'b>(
    call: &mut ModelCall<'b>,
    root: &'b Value<'b>,
    notes: &mut Notes<'b>,
) -> Result<(), Undecidable> {
    read::members(root, KNOWN, notes, |key, at, value| {
        match key {
            "prompt" => call
                .messages
                .extend(read::text(at, value)?.map(Message::user)),
            "model" => call.model = call.model.or(read::text(at, value)?),
            "n" => call.n = read::whole(at, value)?,
            "stream" => call.stream = read::flag(at, value)?,
            "image" | "images" | "input_reference" | "mask" | "markup" | "video" => {
                files(&mut call.attachments, at, value)?;
            }
            "background" | "complexity" | "frame_count" | "frame_duration_ms"
            | "input_fidelity" | "moderation" | "output_compression" | "output_format"
            | "partial_images" | "quality" | "response_format" | "safety_identifier"
            | "seconds" | "size" | "style" | "svg" | "user" => {}
            _ => return Ok(false),
        }
        Ok(true)
    })
}

/// One or many, as URLs, as ids, or as objects with either.
fn files<'b>(
    found: &mut Vec<Attachment<'b>>,
    at: &Place<'_>,
    value: &'b Value<'b>,
) -> Result<(), Undecidable> {
    for (index, element) in value.elements().iter().enumerate() {
        file(found, &at.index(index), element)?;
    }
    if value.as_array().is_none() {
        file(found, at, value)?;
    }
    Ok(())
}

fn file<'b>(
    found: &mut Vec<Attachment<'b>>,
    at: &Place<'_>,
    value: &'b Value<'b>,
) -> Result<(), Undecidable> {
    if value.as_object().is_none() {
        found.extend(read::text(at, value)?.map(|url| attachment::from_url("image", url)));
        return Ok(());
    }
    for key in ["image_url", "url"] {
        found.extend(read::optional(at, value, key)?.map(|url| attachment::from_url("image", url)));
    }
    for key in ["file_id", "id"] {
        found.extend(read::optional(at, value, key)?.map(|id| attachment::from_id("image", id)));
    }
    Ok(())
}

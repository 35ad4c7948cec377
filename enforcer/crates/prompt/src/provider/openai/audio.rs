//! `POST …/audio/speech` as JSON; transcriptions and translations bring files and are multipart.

use crate::Undecidable;
use crate::call::{Message, ModelCall};
use crate::json::Value;
use crate::read::{self, Notes};

const KNOWN: &[&str] = &["input", "instructions", "model", "prompt", "stream_format"];

pub(super) fn read<'b>(
    call: &mut ModelCall<'b>,
    root: &'b Value<'b>,
    notes: &mut Notes<'b>,
) -> Result<(), Undecidable> {
    read::members(root, KNOWN, notes, |key, at, value| {
        match key {
            "input" | "prompt" => call
                .messages
                .extend(read::text(at, value)?.map(Message::user)),
            "instructions" => call.instructions.extend(read::text(at, value)?),
            "model" => call.model = call.model.or(read::text(at, value)?),
            "stream_format" => call.stream = value.as_str() == Some("sse"),
            "response_format" | "speed" | "voice" => {}
            _ => return Ok(false),
        }
        Ok(true)
    })
}

//! The old `POST …/completions`.

use super::embeddings::texts;
use crate::call::{Message, ModelCall};
use crate::json::Value;
use crate::read::{self, Notes, Place};
use crate::{Cause, Undecidable};

const KNOWN: &[&str] = &[
    "prompt",
    "suffix",
    "model",
    "max_tokens",
    "stream",
    "temperature",
    "n",
];

pub(super) fn read<'b>(
    call: &mut ModelCall<'b>,
    root: &'b Value<'b>,
    notes: &mut Notes<'b>,
) -> Result<(), Undecidable> {
    read::members(root, KNOWN, notes, |key, at, value| {
        match key {
            "prompt" => texts(call, at, value)?,
            "suffix" => call
                .messages
                .extend(read::text(at, value)?.map(Message::user)),
            "model" => call.model = call.model.or(read::text(at, value)?),
            "max_tokens" => call.max_tokens = read::whole(at, value)?,
            "stream" => call.stream = read::flag(at, value)?,
            "temperature" => call.temperature = read::number(at, value)?,
            "n" => call.n = read::whole(at, value)?,
            "best_of" | "echo" | "frequency_penalty" | "logit_bias" | "logprobs"
            | "presence_penalty" | "seed" | "stop" | "stream_options" | "top_p" | "user" => {}
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    if root.get("prompt").is_none() {
        return Err(Place::ROOT.key("prompt").wrong(Cause::Schema, root));
    }
    Ok(())
}

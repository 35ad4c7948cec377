//! `POST …/responses` and its relatives: counting its tokens, compacting, and conversations with the same items.

use super::{items, tools};
use crate::Undecidable;
use crate::call::ModelCall;
use crate::json::Value;
use crate::read::{self, Notes, Place};

/// What readers must not take another key for.
pub(super) const KNOWN: &[&str] = &[
    "input",
    "instructions",
    "model",
    "tools",
    "tool_choice",
    "max_output_tokens",
    "max_response_output_tokens",
    "stream",
    "temperature",
    "previous_response_id",
    "conversation",
    "prompt",
    "items",
    "session",
    "item",
    "response",
    "type",
];

/// Ways of sampling, billing and formatting that decide nothing about what is said to whom.
const PASSED: &[&str] = &[
    "access_programs",
    "audio",
    "background",
    "background_options",
    "context_management",
    "event_id",
    "generate",
    "image",
    "include",
    "input_audio_format",
    "input_audio_noise_reduction",
    "input_audio_transcription",
    "max_tool_calls",
    "metadata",
    "modalities",
    "moderation",
    "output_audio_format",
    "output_modalities",
    "parallel_tool_calls",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "reasoning",
    "safety_identifier",
    "service_tier",
    "speed",
    "store",
    "stream_id",
    "stream_options",
    "text",
    "top_logprobs",
    "top_p",
    "tracing",
    "truncation",
    "turn_detection",
    "type",
    "user",
    "voice",
];

pub(super) fn read<'b>(
    call: &mut ModelCall<'b>,
    root: &'b Value<'b>,
    notes: &mut Notes<'b>,
) -> Result<(), Undecidable> {
    // Over WebSocket a request is an event of the same fields.
    if root.get("type").is_some() {
        return super::realtime::event(call, root, notes);
    }
    settings(call, &Place::ROOT, root, notes)
}

/// What a request, an event or a session says about the answer that is wanted.
pub(super) fn settings<'b>(
    call: &mut ModelCall<'b>,
    place: &Place<'_>,
    root: &'b Value<'b>,
    notes: &mut Notes<'b>,
) -> Result<(), Undecidable> {
    for member in read::object(place, root)? {
        let (key, value) = (member.key(), member.value());
        let at = place.key(key);
        match key {
            "input" | "items" => items::input(call, &at, value, notes)?,
            "instructions" => instructions(call, &at, value, notes)?,
            "model" => call.model = call.model.or(read::text(&at, value)?),
            "tools" => tools::declared(&mut call.tools, &at, value)?,
            "tool_choice" => call.tool_choice = tools::choice(value),
            "max_output_tokens" | "max_response_output_tokens" => {
                // Realtime says `"inf"` where others say nothing.
                if value.as_str() != Some("inf") {
                    call.max_tokens = read::whole(&at, value)?;
                }
            }
            "stream" => call.stream = read::flag(&at, value)?,
            "temperature" => call.temperature = read::number(&at, value)?,
            "previous_response_id" => call.context.extend(read::text(&at, value)?),
            "conversation" | "prompt" => match value.get("id") {
                Some(id) => call.context.extend(read::text(&at.key("id"), id)?),
                None => call.context.extend(read::text(&at, value)?),
            },
            _ if PASSED.contains(&key) => {}
            _ => notes.member(place, member, KNOWN)?,
        }
    }
    Ok(())
}

/// A text; of a stored prompt's they may be items.
fn instructions<'b>(
    call: &mut ModelCall<'b>,
    at: &Place<'_>,
    value: &'b Value<'b>,
    notes: &mut Notes<'b>,
) -> Result<(), Undecidable> {
    if value.as_array().is_some() {
        return items::input(call, at, value, notes);
    }
    call.instructions.extend(read::text(at, value)?);
    Ok(())
}

//! Assistants, threads, their messages, and runs with the outputs of tools.

use super::{chat, tools};
use crate::call::{Attachment, Message, ModelCall, Part, Role, ToolResult};
use crate::json::Value;
use crate::read::{self, Notes, Place};
use crate::{Cause, Undecidable};

const KNOWN: &[&str] = &[
    "additional_instructions",
    "additional_messages",
    "assistant_id",
    "content",
    "instructions",
    "max_completion_tokens",
    "messages",
    "model",
    "role",
    "stream",
    "temperature",
    "thread",
    "tool_choice",
    "tool_outputs",
    "tools",
    "attachments",
];

pub(super) fn read<'b>(
    call: &mut ModelCall<'b>,
    root: &'b Value<'b>,
    notes: &mut Notes<'b>,
) -> Result<(), Undecidable> {
    let place = Place::ROOT;
    if root.get("role").is_some() {
        message(call, &place, root, notes)?;
        return Ok(());
    }
    settings(call, &place, root, notes, true)
}

fn settings<'b>(
    call: &mut ModelCall<'b>,
    place: &Place<'_>,
    root: &'b Value<'b>,
    notes: &mut Notes<'b>,
    outermost: bool,
) -> Result<(), Undecidable> {
    for member in read::object(place, root)? {
        let (key, value) = (member.key(), member.value());
        let at = place.key(key);
        match key {
            "messages" | "additional_messages" => {
                for (index, element) in read::list(&at, value)?.iter().enumerate() {
                    message(call, &at.index(index), element, notes)?;
                }
            }
            "instructions" | "additional_instructions" | "description" => {
                call.instructions.extend(read::text(&at, value)?);
            }
            "model" => call.model = call.model.or(read::text(&at, value)?),
            "tools" => tools::declared(&mut call.tools, &at, value)?,
            "tool_choice" => call.tool_choice = tools::choice(value),
            "tool_outputs" => outputs(call, &at, value)?,
            "max_completion_tokens" => call.max_tokens = read::whole(&at, value)?,
            "stream" => call.stream = read::flag(&at, value)?,
            "temperature" => call.temperature = read::number(&at, value)?,
            "assistant_id" => call.context.extend(read::text(&at, value)?),
            "thread" if outermost && !value.is_null() => {
                settings(call, &at, value, notes, false)?;
            }
            "tool_resources" => resources(call, value),
            "max_prompt_tokens"
            | "metadata"
            | "name"
            | "parallel_tool_calls"
            | "reasoning_effort"
            | "response_format"
            | "top_p"
            | "truncation_strategy" => {}
            _ => notes.member(place, member, KNOWN)?,
        }
    }
    Ok(())
}

/// A message of a thread: a chat's, with attachments beside its content.
fn message<'b>(
    call: &mut ModelCall<'b>,
    at: &Place<'_>,
    value: &'b Value<'b>,
    notes: &mut Notes<'b>,
) -> Result<(), Undecidable> {
    let mut message = Message {
        role: Role::User,
        name: None,
        parts: Vec::new(),
    };
    for member in read::object(at, value)? {
        let (key, value) = (member.key(), member.value());
        let at_key = at.key(key);
        match key {
            "role" => {
                message.role = match read::required(&at_key, value)? {
                    "assistant" => Role::Assistant,
                    "user" => Role::User,
                    other => Role::Other(other),
                }
            }
            "content" => message.parts.append(&mut chat::parts(&at_key, value)?),
            "attachments" => {
                for (index, element) in read::list(&at_key, value)?.iter().enumerate() {
                    let id = read::optional(&at_key.index(index), element, "file_id")?;
                    message
                        .parts
                        .extend(id.map(|id| Part::Attachment(file(id))));
                }
            }
            "metadata" => {}
            _ => notes.member(at, member, KNOWN)?,
        }
    }
    if value.get("content").is_none() {
        return Err(at.key("content").wrong(Cause::Schema, value));
    }
    call.messages.push(message);
    Ok(())
}

fn outputs<'b>(
    call: &mut ModelCall<'b>,
    at: &Place<'_>,
    value: &'b Value<'b>,
) -> Result<(), Undecidable> {
    for (index, element) in read::list(at, value)?.iter().enumerate() {
        let at = at.index(index);
        let output = read::optional(&at, element, "output")?;
        call.messages.push(Message {
            role: Role::Tool,
            name: None,
            parts: vec![Part::ToolResult(ToolResult {
                id: read::optional(&at, element, "tool_call_id")?,
                name: None,
                parts: output.map(Part::Text).into_iter().collect(),
                failed: false,
            })],
        });
    }
    Ok(())
}

/// Files and vector stores that tools may look into.
fn resources<'b>(call: &mut ModelCall<'b>, value: &'b Value<'b>) {
    for path in [
        ["code_interpreter", "file_ids"],
        ["file_search", "vector_store_ids"],
    ] {
        let ids = value.at(&path).map(Value::elements).unwrap_or_default();
        call.attachments
            .extend(ids.iter().filter_map(Value::as_str).map(file));
    }
}

fn file(id: &str) -> Attachment<'_> {
    Attachment {
        kind: "file",
        reference: Some(id),
        ..Attachment::default()
    }
}

//! `POST …/chat/completions`, also as other vendors extend it.

use super::super::attachment;
use super::{text_or_parts, tools};
use crate::call::{
    Arguments, Attachment, Message, ModelCall, Part, Role, ToolCall, ToolKind, ToolResult, Unknown,
};
use crate::json::Value;
use crate::read::{self, Notes, Place};
use crate::{Cause, Undecidable};

/// What readers must not take another key for.
const KNOWN: &[&str] = &[
    "messages",
    "model",
    "models",
    "tools",
    "functions",
    "tool_choice",
    "function_call",
    "max_tokens",
    "max_completion_tokens",
    "stream",
    "temperature",
    "n",
];
/// Ways of sampling, billing and formatting that decide nothing about what is said to whom.
const PASSED: &[&str] = &[
    "audio",
    "frequency_penalty",
    "logit_bias",
    "logprobs",
    "metadata",
    "modalities",
    "moderation",
    "parallel_tool_calls",
    "presence_penalty",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "reasoning_effort",
    "response_format",
    "safety_identifier",
    "seed",
    "service_tier",
    "stop",
    "store",
    "stream_options",
    "top_logprobs",
    "top_p",
    "user",
    "verbosity",
    "top_k",
    "min_p",
    "repetition_penalty",
];
const MESSAGE: &[&str] = &[
    "role",
    "content",
    "name",
    "tool_calls",
    "tool_call_id",
    "function_call",
    "refusal",
    "reasoning_content",
];

pub(super) fn read<'b>(
    call: &mut ModelCall<'b>,
    root: &'b Value<'b>,
    notes: &mut Notes<'b>,
) -> Result<(), Undecidable> {
    let root_place = Place::ROOT;
    for member in read::object(&root_place, root)? {
        let (key, value) = (member.key(), member.value());
        let at = root_place.key(key);
        match key {
            "messages" => messages(call, &at, value, notes)?,
            "model" => call.model = call.model.or(read::text(&at, value)?),
            "tools" => tools::declared(&mut call.tools, &at, value)?,
            "functions" => tools::functions(&mut call.tools, &at, value)?,
            "tool_choice" => call.tool_choice = tools::choice(value),
            "function_call" => call.tool_choice = call.tool_choice.take().or(tools::choice(value)),
            "max_completion_tokens" => {
                call.max_tokens = read::whole(&at, value)?.or(call.max_tokens);
            }
            "max_tokens" => call.max_tokens = call.max_tokens.or(read::whole(&at, value)?),
            "stream" => call.stream = read::flag(&at, value)?,
            "temperature" => call.temperature = read::number(&at, value)?,
            "n" => call.n = read::whole(&at, value)?,
            "prediction" => prediction(call, &at, value)?,
            "web_search_options" => tools::hosted(&mut call.tools, "web_search", value),
            _ if PASSED.contains(&key) => {}
            _ => notes.member(&root_place, member, KNOWN)?,
        }
    }
    if root.get("messages").is_none() {
        return Err(root_place.key("messages").wrong(Cause::Schema, root));
    }
    Ok(())
}

/// Text that the answer is expected to repeat is sent as much as any other.
fn prediction<'b>(
    call: &mut ModelCall<'b>,
    at: &Place<'_>,
    value: &'b Value<'b>,
) -> Result<(), Undecidable> {
    if let Some(content) = value.get("content") {
        let parts = parts(&at.key("content"), content)?;
        call.messages.push(Message {
            role: Role::Assistant,
            name: None,
            parts,
        });
    }
    Ok(())
}

fn messages<'b>(
    call: &mut ModelCall<'b>,
    at: &Place<'_>,
    value: &'b Value<'b>,
    notes: &mut Notes<'b>,
) -> Result<(), Undecidable> {
    let elements = read::list(at, value)?;
    call.messages.reserve(elements.len());
    for (index, element) in elements.iter().enumerate() {
        call.messages
            .push(message(&at.index(index), element, notes)?);
    }
    Ok(())
}

/// One message of a chat, also of an answer.
pub(crate) fn message<'b>(
    at: &Place<'_>,
    value: &'b Value<'b>,
    notes: &mut Notes<'b>,
) -> Result<Message<'b>, Undecidable> {
    let mut message = Message {
        role: Role::User,
        name: None,
        parts: Vec::new(),
    };
    let mut result = None;
    let mut role = None;
    for member in read::object(at, value)? {
        let (key, value) = (member.key(), member.value());
        let at_key = at.key(key);
        match key {
            "role" => role = Some(read::required(&at_key, value)?),
            "content" => message.parts.append(&mut parts(&at_key, value)?),
            "name" => message.name = read::text(&at_key, value)?,
            "refusal" => message
                .parts
                .extend(read::text(&at_key, value)?.map(Part::Refusal)),
            "reasoning_content" | "reasoning" => message
                .parts
                .extend(read::text(&at_key, value)?.map(Part::Thinking)),
            "tool_calls" => tool_calls(&mut message.parts, &at_key, value)?,
            "function_call" if value.is_null() => {}
            "function_call" => message
                .parts
                .push(Part::ToolCall(function(&at_key, value, None)?)),
            "tool_call_id" => result = read::text(&at_key, value)?,
            "audio" => message.parts.extend(audio(value).map(Part::Attachment)),
            "annotations" => {}
            _ => notes.member(at, member, MESSAGE)?,
        }
    }
    message.role = match role {
        Some("assistant") => Role::Assistant,
        Some("developer") => Role::Developer,
        Some("function" | "tool") => Role::Tool,
        Some("system") => Role::System,
        Some("user") => Role::User,
        Some(other) => Role::Other(other),
        None => return Err(at.key("role").wrong(Cause::Schema, value)),
    };
    if message.role == Role::Tool {
        let parts = std::mem::take(&mut message.parts);
        message.parts.push(Part::ToolResult(ToolResult {
            id: result,
            name: message.name,
            parts,
            failed: false,
        }));
    }
    Ok(message)
}

pub(super) fn parts<'b>(
    at: &Place<'_>,
    value: &'b Value<'b>,
) -> Result<Vec<Part<'b>>, Undecidable> {
    text_or_parts(at, value, part)
}

fn part<'b>(at: &Place<'_>, value: &'b Value<'b>) -> Result<Part<'b>, Undecidable> {
    if let Some(text) = value.as_str() {
        return Ok(Part::Text(text));
    }
    let kind = read::member(at, value, "type")?;
    Ok(match kind {
        "text" | "input_text" | "output_text" => Part::Text(read::member(at, value, "text")?),
        "refusal" => Part::Refusal(read::member(at, value, "refusal")?),
        "image_url" => {
            let inner = value.get("image_url").unwrap_or(value);
            let url = match inner.as_str() {
                Some(url) => url,
                None => read::member(&at.key("image_url"), inner, "url")?,
            };
            Part::Attachment(attachment::from_url("image", url))
        }
        "input_audio" => {
            let inner = value.get("input_audio").unwrap_or(value);
            let data = read::member(&at.key("input_audio"), inner, "data")?;
            Part::Attachment(attachment::from_base64(
                "audio",
                inner.get("format").and_then(Value::as_str),
                data,
            ))
        }
        "file" | "image_file" => Part::Attachment(file(at, value, kind)?),
        "video_url" => {
            let inner = value.get("video_url").unwrap_or(value);
            Part::Attachment(attachment::from_url(
                "video",
                read::member(&at.key("video_url"), inner, "url")?,
            ))
        }
        _ => Part::Unknown(Unknown {
            place: at.pointer(),
            name: kind,
            value,
        }),
    })
}

fn file<'b>(
    at: &Place<'_>,
    value: &'b Value<'b>,
    kind: &str,
) -> Result<Attachment<'b>, Undecidable> {
    let at = at.key(kind);
    let inner = value.get(kind).unwrap_or(value);
    let mut file = match (
        read::optional(&at, inner, "file_data")?,
        read::optional(&at, inner, "file_id")?,
    ) {
        (Some(data), _) if data.starts_with("data:") => attachment::from_url("file", data),
        (Some(data), _) => attachment::from_base64("file", None, data),
        (None, Some(id)) => attachment::from_id("file", id),
        (None, None) => return Err(at.wrong(Cause::Schema, value)),
    };
    file.name = read::optional(&at, inner, "filename")?;
    Ok(file)
}

fn audio<'b>(value: &'b Value<'b>) -> Option<Attachment<'b>> {
    if let Some(data) = value.get("data").and_then(Value::as_str) {
        return Some(attachment::from_base64("audio", None, data));
    }
    let id = value.get("id").and_then(Value::as_str)?;
    Some(attachment::from_id("audio", id))
}

fn tool_calls<'b>(
    parts: &mut Vec<Part<'b>>,
    at: &Place<'_>,
    value: &'b Value<'b>,
) -> Result<(), Undecidable> {
    for (index, element) in read::list(at, value)?.iter().enumerate() {
        parts.push(Part::ToolCall(tool_call(&at.index(index), element)?));
    }
    Ok(())
}

/// One element of `tool_calls`.
pub(crate) fn tool_call<'b>(
    at: &Place<'_>,
    value: &'b Value<'b>,
) -> Result<ToolCall<'b>, Undecidable> {
    let id = read::optional(at, value, "id")?;
    let kind = read::optional(at, value, "type")?.unwrap_or("function");
    if let Some(inner) = value.get("function").filter(|it| !it.is_null()) {
        if kind != "function" {
            return Err(at.key("type").wrong(Cause::Inconsistent, value));
        }
        return function(&at.key("function"), inner, id);
    }
    if let Some(inner) = value.get("custom").filter(|it| !it.is_null()) {
        let at = at.key("custom");
        return Ok(ToolCall {
            kind: ToolKind::Custom,
            name: read::member(&at, inner, "name")?,
            arguments: Arguments::Text(read::member(&at, inner, "input")?),
            id,
            server: None,
        });
    }
    Ok(ToolCall {
        kind: if kind == "function" {
            ToolKind::Unknown
        } else {
            tools::run_by(kind)
        },
        name: kind,
        arguments: Arguments::Value(value),
        id,
        server: None,
    })
}

/// `{name, arguments}`.
pub(crate) fn function<'b>(
    at: &Place<'_>,
    value: &'b Value<'b>,
    id: Option<&'b str>,
) -> Result<ToolCall<'b>, Undecidable> {
    let arguments = match value.get("arguments") {
        // Some vendors send the object itself.
        Some(arguments) => match arguments.as_str() {
            Some(text) => Arguments::Text(text),
            None => Arguments::Value(arguments),
        },
        None => Arguments::Text(""),
    };
    Ok(ToolCall {
        kind: ToolKind::Function,
        name: read::member(at, value, "name")?,
        arguments,
        id,
        server: None,
    })
}

//! Parts of a `Content`, in requests and in answers.

use super::{attachment, field, once};
use crate::call::{Arguments, Attachment, Part, ToolCall, ToolKind, ToolResult, Unknown};
use crate::json::Value;
use crate::read::{self, Place};
use crate::{Cause, Undecidable};

/// The parts of a `Content`, which may be one alone or a text.
pub(crate) fn content_parts<'b>(
    at: &Place<'_>,
    content: &'b Value<'b>,
) -> Result<Vec<Part<'b>>, Undecidable> {
    if let Some(text) = content.as_str() {
        return Ok(vec![Part::Text(text)]);
    }
    let Some(parts) = field(content, "parts") else {
        return Ok(Vec::new());
    };
    let at = at.key("parts");
    let one = std::slice::from_ref(parts);
    let mut read = Vec::new();
    for (index, element) in parts.as_array().unwrap_or(one).iter().enumerate() {
        part(&mut read, &at.index(index), element)?;
    }
    Ok(read)
}

fn part<'b>(
    parts: &mut Vec<Part<'b>>,
    at: &Place<'_>,
    value: &'b Value<'b>,
) -> Result<(), Undecidable> {
    if let Some(text) = value.as_str() {
        parts.push(Part::Text(text));
        return Ok(());
    }
    once(at, value)?;
    let thought = value.get("thought").and_then(Value::as_bool) == Some(true);
    for member in read::object(at, value)? {
        let (key, inner) = (member.key(), member.value());
        let at = at.key(key);
        parts.push(match &*super::camel(key) {
            "text" => {
                let text = read::required(&at, inner)?;
                if thought {
                    Part::Thinking(text)
                } else {
                    Part::Text(text)
                }
            }
            "inlineData" => Part::Attachment(inline(&at, inner)?),
            "fileData" => Part::Attachment(Attachment {
                kind: "file",
                media_type: field(inner, "mimeType").and_then(Value::as_str),
                reference: field(inner, "fileUri").and_then(Value::as_str),
                ..Attachment::default()
            }),
            "functionCall" => Part::ToolCall(call(&at, inner)?),
            "executableCode" | "toolCall" => Part::ToolCall(hosted(key, inner)),
            "functionResponse" => Part::ToolResult(response(&at, inner)?),
            "codeExecutionResult" | "toolResponse" => Part::ToolResult(ToolResult {
                id: inner.get("id").and_then(Value::as_str),
                name: Some(key),
                parts: texts(inner),
                failed: false,
            }),
            "thought" | "thoughtSignature" | "videoMetadata" | "mediaResolution"
            | "partMetadata" => continue,
            _ => Part::Unknown(Unknown {
                place: at.pointer(),
                name: key,
                value: inner,
            }),
        });
    }
    Ok(())
}

fn inline<'b>(at: &Place<'_>, value: &'b Value<'b>) -> Result<Attachment<'b>, Undecidable> {
    let media_type = field(value, "mimeType").and_then(Value::as_str);
    let kind = match media_type.and_then(|it| it.split('/').next()) {
        Some("image") => "image",
        Some("audio") => "audio",
        Some("video") => "video",
        Some(_) | None => "file",
    };
    Ok(Attachment {
        name: field(value, "displayName").and_then(Value::as_str),
        ..attachment::from_base64(kind, media_type, read::member(at, value, "data")?)
    })
}

/// A `functionCall`. One whose arguments come in pieces cannot be judged before it has run.
pub(crate) fn call<'b>(at: &Place<'_>, value: &'b Value<'b>) -> Result<ToolCall<'b>, Undecidable> {
    for key in ["partialArgs", "willContinue"] {
        if let Some(partial) = field(value, key).filter(|it| it.as_bool() != Some(false)) {
            return Err(at.key(key).wrong(Cause::Schema, partial));
        }
    }
    Ok(ToolCall {
        kind: ToolKind::Function,
        name: read::member(at, value, "name")?,
        arguments: Arguments::Value(value.get("args").unwrap_or(value)),
        id: read::optional(at, value, "id")?,
        server: None,
    })
}

/// What Google runs.
pub(crate) fn hosted<'b>(key: &'b str, value: &'b Value<'b>) -> ToolCall<'b> {
    ToolCall {
        kind: ToolKind::Hosted,
        name: key,
        arguments: Arguments::Value(value),
        id: value.get("id").and_then(Value::as_str),
        server: None,
    }
}

fn response<'b>(at: &Place<'_>, value: &'b Value<'b>) -> Result<ToolResult<'b>, Undecidable> {
    Ok(ToolResult {
        id: read::optional(at, value, "id")?,
        name: read::optional(at, value, "name")?,
        parts: value.get("response").map(texts).unwrap_or_default(),
        failed: value.at(&["response", "error"]).is_some(),
    })
}

/// Every text in a structure, in order; depth is the document's.
pub(crate) fn texts<'b>(value: &'b Value<'b>) -> Vec<Part<'b>> {
    let mut parts = Vec::new();
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        parts.extend(value.as_str().map(Part::Text));
        open.extend(value.members().iter().rev().map(crate::json::Member::value));
        open.extend(value.elements().iter().rev());
    }
    parts
}

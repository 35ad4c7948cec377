//! Content blocks, in requests and in answers.

use super::{attachment, tool};
use crate::call::{Arguments, Attachment, Part, Tool, ToolCall, ToolKind, ToolResult, Unknown};
use crate::json::Value;
use crate::read::{self, Place};
use crate::{Cause, Undecidable};

/// A tool's result may hold documents, and they may hold blocks.
const NESTED: usize = 3;

/// A text, or blocks. Tools that are added in the course of a conversation go to `tools`.
pub(crate) fn content<'b>(
    at: &Place<'_>,
    value: &'b Value<'b>,
    tools: &mut Vec<Tool<'b>>,
) -> Result<Vec<Part<'b>>, Undecidable> {
    let mut parts = Vec::new();
    blocks(&mut parts, at, value, (NESTED, tools))?;
    Ok(parts)
}

type Beside<'t, 'b> = (usize, &'t mut Vec<Tool<'b>>);

fn blocks<'b>(
    parts: &mut Vec<Part<'b>>,
    at: &Place<'_>,
    value: &'b Value<'b>,
    (deeper, tools): Beside<'_, 'b>,
) -> Result<(), Undecidable> {
    if let Some(text) = value.as_str() {
        parts.push(Part::Text(text));
        return Ok(());
    }
    let Some(deeper) = deeper.checked_sub(1) else {
        return Err(at.wrong(Cause::TooDeep, value));
    };
    for (index, element) in read::list(at, value)?.iter().enumerate() {
        block(parts, &at.index(index), element, (deeper, &mut *tools))?;
    }
    Ok(())
}

fn block<'b>(
    parts: &mut Vec<Part<'b>>,
    at: &Place<'_>,
    value: &'b Value<'b>,
    (deeper, tools): Beside<'_, 'b>,
) -> Result<(), Undecidable> {
    let kind = read::member(at, value, "type")?;
    match kind {
        "text" => parts.push(Part::Text(read::member(at, value, "text")?)),
        "thinking" => parts.push(Part::Thinking(read::member(at, value, "thinking")?)),
        "redacted_thinking" => {}
        "image" => parts.push(source(at, value, "image")?),
        "document" => document(parts, at, value, (deeper, tools))?,
        "search_result" => {
            parts.extend(read::optional(at, value, "title")?.map(Part::Text));
            if let Some(inner) = value.get("content") {
                blocks(parts, &at.key("content"), inner, (deeper, tools))?;
            }
        }
        "container_upload" => {
            let id = read::member(at, value, "file_id")?;
            parts.push(Part::Attachment(attachment::from_id("file", id)));
        }
        "tool_use" | "server_tool_use" | "mcp_tool_use" => {
            parts.push(Part::ToolCall(call(at, value)?));
        }
        "tool_addition" => match value.get("tool") {
            Some(added) => tools.push(tool(&at.key("tool"), added)?),
            None => return Err(at.key("tool").wrong(Cause::Schema, value)),
        },
        "mcp_tool_listing" => {
            let server = read::optional(at, value, "mcp_server_name")?;
            for element in value.get("tools").map(Value::elements).unwrap_or_default() {
                let listed = tool(at, element)?;
                tools.push(Tool {
                    kind: ToolKind::Mcp,
                    server,
                    ..listed
                });
            }
        }
        "tool_result" | "mcp_tool_result" => {
            let mut inner = Vec::new();
            if let Some(content) = value.get("content").filter(|it| !it.is_null()) {
                blocks(&mut inner, &at.key("content"), content, (deeper, tools))?;
            }
            parts.push(result(at, value, inner)?);
        }
        _ if is_result(kind) => {
            let mut inner = Vec::new();
            if let Some(content) = value.get("content") {
                texts(&mut inner, content);
            }
            parts.push(result(at, value, inner)?);
        }
        _ => parts.push(Part::Unknown(Unknown {
            place: at.pointer(),
            name: kind,
            value,
        })),
    }
    Ok(())
}

/// Whether blocks of this type bring what a tool of Anthropic's gave back.
pub(crate) fn is_result(kind: &str) -> bool {
    matches!(
        kind,
        "advisor_tool_result"
            | "bash_code_execution_tool_result"
            | "code_execution_tool_result"
            | "mcp_tool_result"
            | "text_editor_code_execution_tool_result"
            | "tool_result"
            | "tool_search_tool_result"
            | "web_fetch_tool_result"
            | "web_search_tool_result"
    )
}

/// Who runs what a block of this type asks for; nobody, when it asks for nothing.
pub(crate) fn run_by(kind: &str) -> Option<ToolKind> {
    match kind {
        "compaction" | "container_upload" | "fallback" | "mcp_tool_listing"
        | "redacted_thinking" | "text" | "thinking" => None,
        "tool_use" => Some(ToolKind::Function),
        "server_tool_use" => Some(ToolKind::Hosted),
        "mcp_tool_use" => Some(ToolKind::Mcp),
        _ if is_result(kind) => None,
        _ => Some(ToolKind::Unknown),
    }
}

/// The call that a block is.
pub(crate) fn call<'b>(at: &Place<'_>, value: &'b Value<'b>) -> Result<ToolCall<'b>, Undecidable> {
    let kind = read::member(at, value, "type")?;
    let Some(run_by) = run_by(kind) else {
        return Err(at.wrong(Cause::Schema, value));
    };
    let name = match run_by {
        ToolKind::Unknown => read::optional(at, value, "name")?.unwrap_or(kind),
        ToolKind::Computer
        | ToolKind::Custom
        | ToolKind::Function
        | ToolKind::Hosted
        | ToolKind::Mcp
        | ToolKind::Prompt
        | ToolKind::Resource
        | ToolKind::ResourceTemplate => read::member(at, value, "name")?,
    };
    let toolset = read::optional(at, value, "toolset_name")?;
    Ok(ToolCall {
        kind: match toolset {
            Some(_) => ToolKind::Computer,
            None => run_by,
        },
        name,
        arguments: Arguments::Value(value.get("input").unwrap_or(value)),
        id: read::optional(at, value, "id")?,
        server: match read::optional(at, value, "server_name")? {
            Some(server) => Some(server),
            None => toolset,
        },
    })
}

fn result<'b>(
    at: &Place<'_>,
    value: &'b Value<'b>,
    parts: Vec<Part<'b>>,
) -> Result<Part<'b>, Undecidable> {
    Ok(Part::ToolResult(ToolResult {
        id: read::optional(at, value, "tool_use_id")?,
        name: read::optional(at, value, "toolset_name")?,
        parts,
        failed: value.get("is_error").and_then(Value::as_bool) == Some(true),
    }))
}

fn document<'b>(
    parts: &mut Vec<Part<'b>>,
    at: &Place<'_>,
    value: &'b Value<'b>,
    beside: Beside<'_, 'b>,
) -> Result<(), Undecidable> {
    for key in ["title", "context"] {
        parts.extend(read::optional(at, value, key)?.map(Part::Text));
    }
    let Some(inner) = value.at(&["source", "content"]) else {
        parts.push(source(at, value, "document")?);
        return Ok(());
    };
    blocks(parts, &at.key("source"), inner, beside)
}

/// The source of a picture or a document.
fn source<'b>(
    at: &Place<'_>,
    value: &'b Value<'b>,
    kind: &'static str,
) -> Result<Part<'b>, Undecidable> {
    let place = at.key("source");
    let Some(source) = value.get("source") else {
        return Err(place.wrong(Cause::Schema, value));
    };
    let media_type = read::optional(&place, source, "media_type")?;
    let name = read::optional(at, value, "title")?;
    let found = match read::member(&place, source, "type")? {
        "base64" => {
            attachment::from_base64(kind, media_type, read::member(&place, source, "data")?)
        }
        "text" => return Ok(Part::Text(read::member(&place, source, "data")?)),
        "url" => attachment::from_url(kind, read::member(&place, source, "url")?),
        "file" => attachment::from_id(kind, read::member(&place, source, "file_id")?),
        other => {
            return Ok(Part::Unknown(Unknown {
                place: place.pointer(),
                name: other,
                value: source,
            }));
        }
    };
    Ok(Part::Attachment(Attachment { name, ..found }))
}

/// Every text in what a tool of Anthropic's gave back, whatever its shape; depth is the document's.
fn texts<'b>(parts: &mut Vec<Part<'b>>, value: &'b Value<'b>) {
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        for member in value.members().iter().rev() {
            match member.value().as_str() {
                Some(_) if matches!(member.key(), "type" | "encrypted_content") => {}
                Some(text) => parts.push(Part::Text(text)),
                None => open.push(member.value()),
            }
        }
        open.extend(value.elements().iter().rev());
    }
}

//! Items of the responses interface, of conversations and of realtime sessions: what goes in and what comes out.

use super::super::attachment;
use super::{text_or_parts, tools};
use crate::call::{
    Arguments, Message, ModelCall, Part, Role, Tool, ToolCall, ToolKind, ToolResult, Unknown,
};
use crate::json::Value;
use crate::read::{self, Notes, Place};
use crate::{Cause, Undecidable};

/// What items say beside what is said in them.
#[derive(Debug, Default)]
pub(crate) struct Beside<'b> {
    /// Tools that are declared in the course of a conversation.
    pub(crate) tools: Vec<Tool<'b>>,
    /// Items that are only referred to.
    pub(crate) context: Vec<&'b str>,
}

/// `input`: a text, or items.
pub(super) fn input<'b>(
    call: &mut ModelCall<'b>,
    at: &Place<'_>,
    value: &'b Value<'b>,
    notes: &mut Notes<'b>,
) -> Result<(), Undecidable> {
    if let Some(text) = value.as_str() {
        call.messages.push(Message::user(text));
        return Ok(());
    }
    let mut beside = Beside::default();
    for (index, element) in read::list(at, value)?.iter().enumerate() {
        let message = item(&at.index(index), element, &mut beside, notes)?;
        call.messages.extend(message);
    }
    call.tools.append(&mut beside.tools);
    call.context.append(&mut beside.context);
    Ok(())
}

/// One item, as a message; nothing when it says nothing.
pub(crate) fn item<'b>(
    at: &Place<'_>,
    value: &'b Value<'b>,
    beside: &mut Beside<'b>,
    notes: &mut Notes<'b>,
) -> Result<Option<Message<'b>>, Undecidable> {
    read::object(at, value)?;
    let kind = match read::optional(at, value, "type")? {
        Some(kind) => kind,
        None if value.get("role").is_some() => "message",
        None => "item_reference",
    };
    Ok(match kind {
        "message" => Some(message(at, value, notes)?),
        "reasoning" => Some(reasoning(value)),
        "item_reference" => {
            beside.context.push(read::member(at, value, "id")?);
            None
        }
        "compaction" => {
            beside.context.push(kind);
            None
        }
        "compaction_trigger" | "configuration_update" => None,
        "additional_tools" | "mcp_list_tools" | "tool_search_output" => {
            if let Some(tools) = value.get("tools") {
                listed(beside, &at.key("tools"), value, tools)?;
            }
            None
        }
        _ if is_result(kind) => Some(result(at, value)?),
        _ => Some(Message {
            role: Role::Assistant,
            name: None,
            parts: vec![match call(at, value)? {
                Some(call) => Part::ToolCall(call),
                None => Part::Unknown(Unknown {
                    place: at.pointer(),
                    name: kind,
                    value,
                }),
            }],
        }),
    })
}

/// The call that an item is; of a type that is not known it is none in a request, and an unknown one in an answer.
pub(crate) fn call<'b>(
    at: &Place<'_>,
    value: &'b Value<'b>,
) -> Result<Option<ToolCall<'b>>, Undecidable> {
    let kind = read::member(at, value, "type")?;
    let run_by = tools::run_by(kind);
    let id = match read::optional(at, value, "call_id")? {
        Some(id) => Some(id),
        None => read::optional(at, value, "id")?,
    };
    let (name, arguments) = match run_by {
        ToolKind::Function | ToolKind::Mcp => (
            read::member(at, value, "name")?,
            Arguments::Text(read::optional(at, value, "arguments")?.unwrap_or_default()),
        ),
        ToolKind::Custom => (
            read::member(at, value, "name")?,
            Arguments::Text(read::optional(at, value, "input")?.unwrap_or_default()),
        ),
        ToolKind::Computer | ToolKind::Hosted => {
            let inner = ["action", "operation", "arguments"]
                .iter()
                .find_map(|key| value.get(key));
            (
                kind.strip_suffix("_call").unwrap_or(kind),
                Arguments::Value(inner.unwrap_or(value)),
            )
        }
        ToolKind::Prompt | ToolKind::Resource | ToolKind::ResourceTemplate | ToolKind::Unknown => {
            return Ok(None);
        }
    };
    Ok(Some(ToolCall {
        kind: run_by,
        name,
        arguments,
        id,
        server: read::optional(at, value, "server_label")?,
    }))
}

/// Whether items of this type bring what a tool gave back.
pub(crate) fn is_result(kind: &str) -> bool {
    matches!(
        kind,
        "apply_patch_call_output"
            | "computer_call_output"
            | "custom_tool_call_output"
            | "function_call_output"
            | "local_shell_call_output"
            | "mcp_approval_response"
            | "program_output"
            | "shell_call_output"
    )
}

/// Whether items of this type are said, thought or remembered, and ask nobody to do anything.
pub(crate) fn is_said(kind: &str) -> bool {
    matches!(
        kind,
        "additional_tools"
            | "compaction"
            | "configuration_update"
            | "mcp_list_tools"
            | "message"
            | "reasoning"
            | "tool_search_output"
    ) || is_result(kind)
}

fn message<'b>(
    at: &Place<'_>,
    value: &'b Value<'b>,
    notes: &mut Notes<'b>,
) -> Result<Message<'b>, Undecidable> {
    const KNOWN: &[&str] = &["type", "role", "content", "id", "object", "status", "phase"];
    for member in value.members() {
        if !KNOWN.contains(&member.key()) {
            notes.member(at, member, KNOWN)?;
        }
    }
    let role = match read::member(at, value, "role")? {
        "assistant" => Role::Assistant,
        "developer" => Role::Developer,
        "system" => Role::System,
        "tool" => Role::Tool,
        "user" => Role::User,
        other => Role::Other(other),
    };
    let parts = match value.get("content") {
        Some(content) => parts(&at.key("content"), content)?,
        None => return Err(at.key("content").wrong(Cause::Schema, value)),
    };
    Ok(Message {
        role,
        name: None,
        parts,
    })
}

pub(crate) fn parts<'b>(
    at: &Place<'_>,
    value: &'b Value<'b>,
) -> Result<Vec<Part<'b>>, Undecidable> {
    text_or_parts(at, value, part)
}

/// One part of a message's content, or of what a tool gave back.
pub(super) fn part<'b>(at: &Place<'_>, value: &'b Value<'b>) -> Result<Part<'b>, Undecidable> {
    let kind = read::member(at, value, "type")?;
    Ok(match kind {
        "input_text" | "output_text" | "summary_text" | "text" => {
            Part::Text(read::member(at, value, "text")?)
        }
        "reasoning_text" => Part::Thinking(read::member(at, value, "text")?),
        "refusal" => Part::Refusal(read::member(at, value, "refusal")?),
        "computer_screenshot" | "input_image" | "input_file" | "image" => {
            match file(at, value, kind)? {
                Some(part) => part,
                None => unknown(at, value, kind),
            }
        }
        "audio" | "input_audio" | "output_audio" => {
            // Realtime may say in words what was spoken.
            let data = match value.get("audio").or_else(|| value.get("data")) {
                Some(data) => data.as_str(),
                None => value.at(&["input_audio", "data"]).and_then(Value::as_str),
            };
            match (read::optional(at, value, "transcript")?, data) {
                (Some(transcript), _) => Part::Text(transcript),
                (None, Some(data)) => {
                    Part::Attachment(attachment::from_base64("audio", None, data))
                }
                (None, None) => unknown(at, value, kind),
            }
        }
        _ => unknown(at, value, kind),
    })
}

fn file<'b>(
    at: &Place<'_>,
    value: &'b Value<'b>,
    kind: &str,
) -> Result<Option<Part<'b>>, Undecidable> {
    let kind = if kind == "input_file" {
        "file"
    } else {
        "image"
    };
    let mut found = None;
    for key in ["image_url", "file_url", "file_data"] {
        if let Some(url) = read::optional(at, value, key)? {
            found = Some(match key {
                "file_data" if !url.starts_with("data:") => {
                    attachment::from_base64(kind, None, url)
                }
                _ => attachment::from_url(kind, url),
            });
        }
    }
    if let Some(id) = read::optional(at, value, "file_id")? {
        found = found.or(Some(attachment::from_id(kind, id)));
    }
    if let Some(found) = &mut found {
        found.name = read::optional(at, value, "filename")?;
    }
    Ok(found.map(Part::Attachment))
}

fn unknown<'b>(at: &Place<'_>, value: &'b Value<'b>, kind: &'b str) -> Part<'b> {
    Part::Unknown(Unknown {
        place: at.pointer(),
        name: kind,
        value,
    })
}

fn reasoning<'b>(value: &'b Value<'b>) -> Message<'b> {
    let texts = ["summary", "content"]
        .iter()
        .filter_map(|key| value.get(key))
        .flat_map(Value::elements)
        .filter_map(|part| part.get("text").and_then(Value::as_str));
    Message {
        role: Role::Assistant,
        name: None,
        parts: texts.map(Part::Thinking).collect(),
    }
}

fn result<'b>(at: &Place<'_>, value: &'b Value<'b>) -> Result<Message<'b>, Undecidable> {
    let mut texts = Vec::new();
    for key in ["output", "result", "reason"] {
        let Some(output) = value.get(key) else {
            continue;
        };
        let at = at.key(key);
        if output.as_object().is_some() {
            texts.push(part(&at, output)?);
        } else if output
            .elements()
            .iter()
            .any(|it| it.get("stdout").is_some())
        {
            // A shell's: what it wrote, per command.
            for command in output.elements() {
                for stream in ["stdout", "stderr"] {
                    texts.extend(read::optional(&at, command, stream)?.map(Part::Text));
                }
            }
        } else {
            texts.append(&mut parts(&at, output)?);
        }
    }
    let id = match read::optional(at, value, "call_id")? {
        Some(id) => Some(id),
        None => read::optional(at, value, "approval_request_id")?,
    };
    Ok(Message {
        role: Role::Tool,
        name: None,
        parts: vec![Part::ToolResult(ToolResult {
            id,
            name: read::optional(at, value, "name")?,
            parts: texts,
            failed: value.get("status").and_then(Value::as_str) == Some("failed"),
        })],
    })
}

/// Tools that an item brings: declared ones, or those of an MCP server.
fn listed<'b>(
    beside: &mut Beside<'b>,
    at: &Place<'_>,
    item: &'b Value<'b>,
    value: &'b Value<'b>,
) -> Result<(), Undecidable> {
    let Some(server) = item.get("server_label").and_then(Value::as_str) else {
        return tools::declared(&mut beside.tools, at, value);
    };
    for (index, element) in read::list(at, value)?.iter().enumerate() {
        let at = at.index(index);
        beside.tools.push(Tool {
            kind: ToolKind::Mcp,
            name: read::member(&at, element, "name")?,
            description: read::optional(&at, element, "description")?,
            parameters: element.get("input_schema"),
            server: Some(server),
            value: element,
        });
    }
    Ok(())
}

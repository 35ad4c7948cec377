//! Anthropic's messages, also as Vertex offers them, and counting their tokens.

mod blocks;

use super::attachment;
use crate::call::{Message, ModelCall, Role, Tool, ToolChoice, ToolKind};
use crate::json::Value;
use crate::read::{self, Notes, Place};
use crate::{Cause, Operation, Undecidable};

pub(crate) use blocks::{call, content, run_by};

/// What readers must not take another key for.
const KNOWN: &[&str] = &[
    "max_tokens",
    "max_tokens_to_sample",
    "messages",
    "mcp_servers",
    "model",
    "prompt",
    "requests",
    "stream",
    "system",
    "temperature",
    "tool_choice",
    "tools",
];

pub(super) fn read<'b>(
    call: &mut ModelCall<'b>,
    root: &'b Value<'b>,
    notes: &mut Notes<'b>,
) -> Result<(), Undecidable> {
    let place = Place::ROOT;
    match call.operation {
        Operation::Batches => return batch(call, root, notes),
        Operation::Chat | Operation::CountTokens if root.get("messages").is_none() => {
            return Err(place.key("messages").wrong(Cause::Schema, root));
        }
        _ => {}
    }
    settings(call, &place, root, notes)
}

/// Many requests in one body; all of them are read as one conversation, and the first names the model.
fn batch<'b>(
    call: &mut ModelCall<'b>,
    root: &'b Value<'b>,
    notes: &mut Notes<'b>,
) -> Result<(), Undecidable> {
    let place = Place::ROOT.key("requests");
    for member in read::object(&Place::ROOT, root)? {
        if member.key() != "requests" {
            notes.member(&Place::ROOT, member, KNOWN)?;
        }
    }
    let requests = root
        .get("requests")
        .map(Value::elements)
        .unwrap_or_default();
    let mut model = None;
    for (index, request) in requests.iter().enumerate() {
        let at = place.index(index);
        let at = at.key("params");
        let Some(params) = request.get("params") else {
            return Err(at.wrong(Cause::Schema, request));
        };
        call.model = None;
        settings(call, &at, params, notes)?;
        if model.is_some() && model != call.model {
            // Rules ask for one model; another one among many must not hide behind it.
            call.unknown
                .extend(params.get("model").map(|value| crate::Unknown {
                    place: at.key("model").pointer(),
                    name: "model",
                    value,
                }));
            call.model = model;
        }
        model = call.model;
    }
    Ok(())
}

fn settings<'b>(
    call: &mut ModelCall<'b>,
    place: &Place<'_>,
    root: &'b Value<'b>,
    notes: &mut Notes<'b>,
) -> Result<(), Undecidable> {
    if let Some(system) = root.get("system").filter(|it| !it.is_null()) {
        call.messages.push(Message {
            role: Role::System,
            name: None,
            parts: content(&place.key("system"), system, &mut call.tools)?,
        });
    }
    for member in read::object(place, root)? {
        let (key, value) = (member.key(), member.value());
        let at = place.key(key);
        match key {
            "messages" => messages(call, &at, value, notes)?,
            "prompt" => call
                .messages
                .extend(read::text(&at, value)?.map(Message::user)),
            "model" => call.model = call.model.or(read::text(&at, value)?),
            "tools" => tools(&mut call.tools, &at, value)?,
            "mcp_servers" => servers(&mut call.tools, &at, value)?,
            "tool_choice" => call.tool_choice = choice(value),
            "max_tokens" | "max_tokens_to_sample" => call.max_tokens = read::whole(&at, value)?,
            "stream" => call.stream = read::flag(&at, value)? || call.stream,
            "temperature" => call.temperature = read::number(&at, value)?,
            "container" | "thread" => {
                let id = value
                    .get("id")
                    .or_else(|| value.get("thread_id"))
                    .unwrap_or(value);
                call.context.extend(id.as_str());
            }
            "system" | "anthropic_version" | "anthropic_beta" | "betas" | "billing_policy"
            | "cache_control" | "compaction" | "context_management" | "diagnostics"
            | "inference_geo" | "metadata" | "output_config" | "output_format" | "service_tier"
            | "speed" | "stop_sequences" | "thinking" | "top_k" | "top_p" | "user_profile_id"
            | "workspace_id" => {}
            // Among them `fallbacks`, which name other models.
            _ => notes.member(place, member, KNOWN)?,
        }
    }
    Ok(())
}

fn messages<'b>(
    call: &mut ModelCall<'b>,
    at: &Place<'_>,
    value: &'b Value<'b>,
    notes: &mut Notes<'b>,
) -> Result<(), Undecidable> {
    const KNOWN: &[&str] = &["role", "content"];
    let elements = read::list(at, value)?;
    call.messages.reserve(elements.len());
    for (index, element) in elements.iter().enumerate() {
        let at = at.index(index);
        let role = match read::member(&at, element, "role")? {
            "assistant" => Role::Assistant,
            "system" => Role::System,
            "user" => Role::User,
            other => Role::Other(other),
        };
        for member in element.members() {
            if !KNOWN.contains(&member.key()) {
                notes.member(&at, member, KNOWN)?;
            }
        }
        let Some(inner) = element.get("content") else {
            return Err(at.key("content").wrong(Cause::Schema, element));
        };
        let parts = content(&at.key("content"), inner, &mut call.tools)?;
        call.messages.push(Message {
            role,
            name: None,
            parts,
        });
    }
    Ok(())
}

fn tools<'b>(
    tools: &mut Vec<Tool<'b>>,
    at: &Place<'_>,
    value: &'b Value<'b>,
) -> Result<(), Undecidable> {
    for (index, element) in read::list(at, value)?.iter().enumerate() {
        tools.push(tool(&at.index(index), element)?);
    }
    Ok(())
}

/// One tool: the agent's own with a schema, or one of Anthropic's by its dated type.
pub(super) fn tool<'b>(at: &Place<'_>, value: &'b Value<'b>) -> Result<Tool<'b>, Undecidable> {
    let kind = read::optional(at, value, "type")?.unwrap_or("custom");
    let server = read::optional(at, value, "mcp_server_name")?;
    let kind_of = declared_kind(kind);
    let name = match (kind_of, server) {
        (ToolKind::Function, _) => read::member(at, value, "name")?,
        (ToolKind::Mcp, Some(server)) => server,
        (_, _) => read::optional(at, value, "name")?.unwrap_or(kind),
    };
    Ok(Tool {
        kind: kind_of,
        name,
        description: read::optional(at, value, "description")?,
        parameters: value.get("input_schema"),
        server,
        value,
    })
}

/// Types of tools are families with a date behind.
fn declared_kind(kind: &str) -> ToolKind {
    const FAMILIES: &[(&str, ToolKind)] = &[
        ("advisor_", ToolKind::Hosted),
        ("bash_", ToolKind::Computer),
        ("browser_", ToolKind::Computer),
        ("code_execution_", ToolKind::Hosted),
        ("computer_", ToolKind::Computer),
        ("mcp_toolset", ToolKind::Mcp),
        ("memory_", ToolKind::Computer),
        ("text_editor_", ToolKind::Computer),
        ("tool_search_tool_", ToolKind::Hosted),
        ("web_fetch_", ToolKind::Hosted),
        ("web_search_", ToolKind::Hosted),
    ];
    if kind == "custom" {
        return ToolKind::Function;
    }
    FAMILIES
        .iter()
        .find(|(family, _)| kind.starts_with(family))
        .map_or(ToolKind::Unknown, |(_, run_by)| *run_by)
}

/// MCP servers that Anthropic connects to by itself.
fn servers<'b>(
    tools: &mut Vec<Tool<'b>>,
    at: &Place<'_>,
    value: &'b Value<'b>,
) -> Result<(), Undecidable> {
    for (index, element) in read::list(at, value)?.iter().enumerate() {
        let at = at.index(index);
        tools.push(Tool {
            kind: ToolKind::Mcp,
            name: read::member(&at, element, "name")?,
            description: None,
            parameters: None,
            server: read::optional(&at, element, "url")?,
            value: element,
        });
    }
    Ok(())
}

fn choice<'b>(value: &'b Value<'b>) -> Option<ToolChoice<'b>> {
    if value.is_null() {
        return None;
    }
    let kind = value.get("type").and_then(Value::as_str);
    Some(match (kind, value.get("name").and_then(Value::as_str)) {
        (Some("tool"), Some(name)) => ToolChoice::Tool(name),
        (Some("any"), _) => ToolChoice::Required,
        (Some("auto"), _) => ToolChoice::Auto,
        (Some("none"), _) => ToolChoice::None,
        (_, _) => ToolChoice::Other(value),
    })
}

//! Tools as OpenAI's interfaces declare them, flat or with their own member, and what is said about choosing them.

use crate::call::{Tool, ToolChoice, ToolKind};
use crate::json::Value;
use crate::read::{self, Place};
use crate::{Cause, Undecidable};

/// Namespaces hold tools, and no more namespaces.
const NESTED: usize = 2;

pub(crate) fn declared<'b>(
    tools: &mut Vec<Tool<'b>>,
    at: &Place<'_>,
    value: &'b Value<'b>,
) -> Result<(), Undecidable> {
    list(tools, at, value, NESTED)
}

fn list<'b>(
    tools: &mut Vec<Tool<'b>>,
    at: &Place<'_>,
    value: &'b Value<'b>,
    deeper: usize,
) -> Result<(), Undecidable> {
    let elements = read::list(at, value)?;
    tools.reserve(elements.len());
    for (index, element) in elements.iter().enumerate() {
        let at = at.index(index);
        let kind = read::optional(&at, element, "type")?.unwrap_or("function");
        if kind == "namespace" {
            let deeper = deeper
                .checked_sub(1)
                .ok_or_else(|| at.wrong(Cause::TooDeep, element))?;
            if let Some(inner) = element.get("tools") {
                list(tools, &at.key("tools"), inner, deeper)?;
            }
        }
        tools.push(one(&at, element, kind)?);
    }
    Ok(())
}

fn one<'b>(at: &Place<'_>, value: &'b Value<'b>, kind: &'b str) -> Result<Tool<'b>, Undecidable> {
    let run_by = run_by(kind);
    // Chat completions put name and schema in a member named after the type, responses beside it.
    let inner = match value.get(kind) {
        Some(inner) if inner.as_object().is_some() => inner,
        Some(_) | None => value,
    };
    let name = match run_by {
        ToolKind::Custom | ToolKind::Function => read::member(at, inner, "name")?,
        ToolKind::Mcp => read::optional(at, value, "server_label")?.unwrap_or(kind),
        ToolKind::Computer
        | ToolKind::Hosted
        | ToolKind::Prompt
        | ToolKind::Resource
        | ToolKind::ResourceTemplate
        | ToolKind::Unknown => kind,
    };
    let server = match run_by {
        ToolKind::Mcp => ["server_url", "connector_id", "tunnel_id"]
            .iter()
            .find_map(|key| value.get(key).and_then(Value::as_str)),
        ToolKind::Computer
        | ToolKind::Custom
        | ToolKind::Function
        | ToolKind::Hosted
        | ToolKind::Prompt
        | ToolKind::Resource
        | ToolKind::ResourceTemplate
        | ToolKind::Unknown => None,
    };
    let description = match read::optional(at, inner, "description")? {
        Some(text) => Some(text),
        None => read::optional(at, value, "server_description")?,
    };
    Ok(Tool {
        kind: run_by,
        name,
        description,
        parameters: inner.get("parameters").filter(|it| !it.is_null()),
        server,
        value,
    })
}

/// The old `functions`.
pub(super) fn functions<'b>(
    tools: &mut Vec<Tool<'b>>,
    at: &Place<'_>,
    value: &'b Value<'b>,
) -> Result<(), Undecidable> {
    for (index, element) in read::list(at, value)?.iter().enumerate() {
        tools.push(one(&at.index(index), element, "function")?);
    }
    Ok(())
}

/// A tool of the provider's that is switched on by an option.
pub(super) fn hosted<'b>(tools: &mut Vec<Tool<'b>>, name: &'b str, value: &'b Value<'b>) {
    if !value.is_null() {
        tools.push(Tool {
            kind: ToolKind::Hosted,
            name,
            description: None,
            parameters: None,
            server: None,
            value,
        });
    }
}

/// Who runs a tool of this type, or a call of a tool of this type.
pub(crate) fn run_by(kind: &str) -> ToolKind {
    match kind {
        "function" | "function_call" => ToolKind::Function,
        "custom" | "custom_tool_call" => ToolKind::Custom,
        "mcp" | "mcp_call" | "mcp_approval_request" => ToolKind::Mcp,
        "apply_patch"
        | "apply_patch_call"
        | "computer"
        | "computer_call"
        | "computer_use"
        | "computer_use_preview"
        | "local_shell"
        | "local_shell_call"
        | "shell"
        | "shell_call" => ToolKind::Computer,
        "code_interpreter"
        | "code_interpreter_call"
        | "file_search"
        | "file_search_call"
        | "image_generation"
        | "image_generation_call"
        | "namespace"
        | "program"
        | "programmatic_tool_calling"
        | "tool_search"
        | "tool_search_call"
        | "web_search"
        | "web_search_2025_08_26"
        | "web_search_call"
        | "web_search_preview"
        | "web_search_preview_2025_03_11" => ToolKind::Hosted,
        _ => ToolKind::Unknown,
    }
}

pub(crate) fn choice<'b>(value: &'b Value<'b>) -> Option<ToolChoice<'b>> {
    if value.is_null() {
        return None;
    }
    if let Some(word) = value.as_str() {
        return Some(match word {
            "auto" => ToolChoice::Auto,
            "none" => ToolChoice::None,
            "any" | "required" => ToolChoice::Required,
            _ => ToolChoice::Other(value),
        });
    }
    let name = value
        .get("name")
        .or_else(|| value.at(&["function", "name"]))
        .or_else(|| value.at(&["custom", "name"]))
        .and_then(Value::as_str);
    if let Some(name) = name {
        return Some(ToolChoice::Tool(name));
    }
    let kind = value.get("type").and_then(Value::as_str);
    if kind == Some("allowed_tools") {
        let inner = value.get("allowed_tools").unwrap_or(value);
        let names = inner.get("tools").map(Value::elements).unwrap_or_default();
        // One that cannot be named makes the whole list unreadable.
        let names: Option<Vec<_>> = names.iter().map(named).collect();
        return Some(names.map_or(ToolChoice::Other(value), ToolChoice::Allowed));
    }
    Some(match kind {
        Some(kind) if run_by(kind) != ToolKind::Unknown => ToolChoice::Tool(kind),
        Some(_) | None => ToolChoice::Other(value),
    })
}

fn named<'b>(value: &'b Value<'b>) -> Option<&'b str> {
    value
        .get("name")
        .or_else(|| value.at(&["function", "name"]))
        .or_else(|| value.at(&["custom", "name"]))
        .or_else(|| value.get("server_label"))
        .or_else(|| value.get("type"))
        .and_then(Value::as_str)
}

//! Google's Gemini: `MODEL:generateContent` and its relatives. Keys may be written in `camelCase` or in `snake_case`, and
//! both at once are ambiguous.

mod parts;

use std::borrow::Cow;

use super::attachment;
use crate::call::{Message, ModelCall, Role, Tool, ToolChoice, ToolKind};
use crate::json::{Member, Value};
use crate::read::{self, Notes, Place};
use crate::{Cause, Operation, Undecidable};

pub(crate) use parts::{call, content_parts, hosted, texts};

/// What readers must not take another key for.
const KNOWN: &[&str] = &[
    "contents",
    "content",
    "systemInstruction",
    "tools",
    "toolConfig",
    "generationConfig",
    "cachedContent",
    "generateContentRequest",
    "requests",
    "model",
];

pub(super) fn read<'b>(
    call: &mut ModelCall<'b>,
    root: &'b Value<'b>,
    notes: &mut Notes<'b>,
) -> Result<(), Undecidable> {
    let place = Place::ROOT;
    once(&place, root)?;
    if let Some(inner) = field(root, "generateContentRequest") {
        return settings(call, &place.key("generateContentRequest"), inner, notes);
    }
    if let Some(requests) = field(root, "requests") {
        let at = place.key("requests");
        for (index, request) in read::list(&at, requests)?.iter().enumerate() {
            let inner = field(request, "request").unwrap_or(request);
            settings(call, &at.index(index), inner, notes)?;
        }
        return Ok(());
    }
    settings(call, &place, root, notes)?;
    let generates = matches!(call.operation, Operation::Chat);
    if generates && field(root, "contents").is_none() {
        return Err(place.key("contents").wrong(Cause::Schema, root));
    }
    Ok(())
}

fn settings<'b>(
    call: &mut ModelCall<'b>,
    place: &Place<'_>,
    root: &'b Value<'b>,
    notes: &mut Notes<'b>,
) -> Result<(), Undecidable> {
    once(place, root)?;
    if let Some(system) = field(root, "systemInstruction") {
        let parts = content_parts(&place.key("systemInstruction"), system)?;
        call.messages.push(Message {
            role: Role::System,
            name: None,
            parts,
        });
    }
    for member in read::object(place, root)? {
        let (key, value) = (member.key(), member.value());
        let at = place.key(key);
        match &*camel(key) {
            "contents" | "content" => contents(call, &at, value)?,
            "tools" => tools(&mut call.tools, &at, value)?,
            "toolConfig" => call.tool_choice = choice(value),
            "generationConfig" => generation(call, &at, value)?,
            "cachedContent" => call.context.extend(read::text(&at, value)?),
            // The path names the model; a body that names another one is not understood.
            "model" => model(call, &at, value)?,
            "systemInstruction"
            | "labels"
            | "outputDimensionality"
            | "safetySettings"
            | "serviceTier"
            | "store"
            | "taskType"
            | "title" => {}
            _ => notes.member(place, member, KNOWN)?,
        }
    }
    Ok(())
}

fn model<'b>(
    call: &mut ModelCall<'b>,
    at: &Place<'_>,
    value: &'b Value<'b>,
) -> Result<(), Undecidable> {
    let Some(name) = read::text(at, value)? else {
        return Ok(());
    };
    let name = name.rsplit('/').next().unwrap_or(name);
    match call.model {
        Some(model) if model != name => Err(at.wrong(Cause::Inconsistent, value)),
        Some(_) | None => {
            call.model = Some(name);
            Ok(())
        }
    }
}

fn contents<'b>(
    call: &mut ModelCall<'b>,
    at: &Place<'_>,
    value: &'b Value<'b>,
) -> Result<(), Undecidable> {
    if let Some(elements) = value.as_array() {
        for (index, element) in elements.iter().enumerate() {
            call.messages.push(message(&at.index(index), element)?);
        }
        return Ok(());
    }
    call.messages.push(message(at, value)?);
    Ok(())
}

/// One `Content`, also of an answer.
pub(crate) fn message<'b>(
    at: &Place<'_>,
    value: &'b Value<'b>,
) -> Result<Message<'b>, Undecidable> {
    if let Some(text) = value.as_str() {
        return Ok(Message::user(text));
    }
    once(at, value)?;
    let role = match read::optional(at, value, "role")? {
        Some("user") | None => Role::User,
        Some("model") => Role::Assistant,
        Some("function") => Role::Tool,
        Some("system") => Role::System,
        Some(other) => Role::Other(other),
    };
    Ok(Message {
        role,
        name: None,
        parts: content_parts(at, value)?,
    })
}

fn tools<'b>(
    tools: &mut Vec<Tool<'b>>,
    at: &Place<'_>,
    value: &'b Value<'b>,
) -> Result<(), Undecidable> {
    let one = std::slice::from_ref(value);
    for (index, element) in value.as_array().unwrap_or(one).iter().enumerate() {
        let at = at.index(index);
        once(&at, element)?;
        for member in read::object(&at, element)? {
            tool(tools, &at, member)?;
        }
    }
    Ok(())
}

/// One kind of tools: functions by name, or one of Google's.
fn tool<'b>(
    tools: &mut Vec<Tool<'b>>,
    at: &Place<'_>,
    member: &'b Member<'b>,
) -> Result<(), Undecidable> {
    let (key, value) = (member.key(), member.value());
    let at = at.key(key);
    let kind = match &*camel(key) {
        "functionDeclarations" => {
            for (index, element) in read::list(&at, value)?.iter().enumerate() {
                let at = at.index(index);
                tools.push(Tool {
                    kind: ToolKind::Function,
                    name: read::member(&at, element, "name")?,
                    description: read::optional(&at, element, "description")?,
                    parameters: field(element, "parameters")
                        .or_else(|| field(element, "parametersJsonSchema")),
                    server: None,
                    value: element,
                });
            }
            return Ok(());
        }
        "computerUse" => ToolKind::Computer,
        "mcpServers" => ToolKind::Mcp,
        "codeExecution"
        | "enterpriseWebSearch"
        | "exaAiSearch"
        | "fileSearch"
        | "googleMaps"
        | "googleSearch"
        | "googleSearchRetrieval"
        | "parallelAiSearch"
        | "retrieval"
        | "urlContext" => ToolKind::Hosted,
        _ => ToolKind::Unknown,
    };
    tools.push(Tool {
        kind,
        name: key,
        description: None,
        parameters: None,
        server: None,
        value,
    });
    Ok(())
}

fn choice<'b>(value: &'b Value<'b>) -> Option<ToolChoice<'b>> {
    let calling = field(value, "functionCallingConfig")?;
    let names = field(calling, "allowedFunctionNames").map(Value::elements);
    let names: Option<Vec<_>> = names
        .unwrap_or_default()
        .iter()
        .map(Value::as_str)
        .collect();
    let mode = field(calling, "mode").and_then(Value::as_str);
    Some(match (mode, names) {
        (_, Some(names)) if !names.is_empty() => ToolChoice::Allowed(names),
        (Some("ANY"), Some(_)) => ToolChoice::Required,
        (Some("AUTO" | "MODE_UNSPECIFIED") | None, Some(_)) => ToolChoice::Auto,
        (Some("NONE"), Some(_)) => ToolChoice::None,
        (_, _) => ToolChoice::Other(value),
    })
}

fn generation<'b>(
    call: &mut ModelCall<'b>,
    at: &Place<'_>,
    value: &'b Value<'b>,
) -> Result<(), Undecidable> {
    once(at, value)?;
    if let Some(number) = field(value, "maxOutputTokens") {
        call.max_tokens = read::whole(&at.key("maxOutputTokens"), number)?;
    }
    if let Some(number) = field(value, "temperature") {
        call.temperature = read::number(&at.key("temperature"), number)?;
    }
    if let Some(number) = field(value, "candidateCount") {
        call.n = read::whole(&at.key("candidateCount"), number)?;
    }
    Ok(())
}

/// The member with this name in either spelling.
pub(crate) fn field<'b>(value: &'b Value<'b>, name: &str) -> Option<&'b Value<'b>> {
    value
        .members()
        .iter()
        .find(|member| member.key() == name || camel(member.key()) == name)
        .map(Member::value)
        .filter(|value| !value.is_null())
}

/// No key in both spellings.
pub(crate) fn once(at: &Place<'_>, value: &Value<'_>) -> Result<(), Undecidable> {
    for member in value.members() {
        let camel = camel(member.key());
        if camel != member.key() && value.get(&camel).is_some() {
            return Err(at
                .key(member.key())
                .wrong(Cause::AmbiguousKey, member.value()));
        }
    }
    Ok(())
}

/// `snake_case` as `camelCase`.
pub(crate) fn camel(key: &str) -> Cow<'_, str> {
    if !key.contains('_') {
        return Cow::Borrowed(key);
    }
    let mut camel = String::with_capacity(key.len());
    let mut upper = false;
    for c in key.chars() {
        match c {
            '_' => upper = true,
            c if upper => {
                camel.push(c.to_ascii_uppercase());
                upper = false;
            }
            c => camel.push(c),
        }
    }
    Cow::Owned(camel)
}

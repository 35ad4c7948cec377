//! MCP: JSON-RPC messages, in requests and in answers.

use crate::call::{Arguments, Attachment, Part, Tool, ToolKind, Unknown};
use crate::json::{Document, Value};
use crate::provider;
use crate::read::{self, Notes, Place};
use crate::{Cause, Limits, Undecidable};

/// One JSON-RPC message.
#[derive(Clone, Debug, PartialEq)]
pub struct McpMessage<'b> {
    /// Its id; none for a notification.
    pub id: Option<&'b Value<'b>>,
    /// What it asks or brings.
    pub method: McpMethod<'b>,
    /// All of it.
    pub value: &'b Value<'b>,
}

/// What a message asks or brings.
#[derive(Clone, Debug, PartialEq)]
pub enum McpMethod<'b> {
    /// An answer with an error.
    Failure(McpError<'b>),
    /// A request or notification, by its method: `initialize`, `tools/list`, `tools/call`, `resources/read`, …
    Request {
        /// The method.
        method: &'b str,
        /// The tool or prompt called by name.
        name: Option<&'b str>,
        /// The resource asked for.
        uri: Option<&'b str>,
        /// Arguments of a tool or prompt.
        arguments: Option<Arguments<'b>>,
        /// All parameters.
        params: Option<&'b Value<'b>>,
        /// Who speaks, in `initialize`.
        client: Option<McpParty<'b>>,
    },
    /// An answer.
    Result {
        /// The server's name and version, where it introduces itself.
        server: Option<McpParty<'b>>,
        /// What the server tells the model, where it introduces itself.
        instructions: Option<&'b str>,
        /// The tools, prompts and resources listed.
        tools: Vec<Tool<'b>>,
        /// What a tool, resource or prompt gave back.
        parts: Vec<Part<'b>>,
        /// Whether the tool failed.
        failed: bool,
        /// All of it.
        value: &'b Value<'b>,
    },
}

/// An implementation's name and version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct McpParty<'b> {
    /// Its name.
    pub name: &'b str,
    /// Its version.
    pub version: Option<&'b str>,
}

/// An error of JSON-RPC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct McpError<'b> {
    /// Its number.
    pub code: Option<i64>,
    /// Its words.
    pub message: &'b str,
}

const ENVELOPE: &[&str] = &["jsonrpc", "id", "method", "params", "result", "error"];
const PARAMS: &[&str] = &["name", "arguments", "uri", "clientInfo", "ref", "_meta"];

/// Whether a document is JSON-RPC, alone or in a batch.
pub(crate) fn is_rpc(document: &Document<'_>) -> bool {
    let root = document.root();
    root.get("jsonrpc").is_some()
        || root
            .elements()
            .iter()
            .any(|element| element.get("jsonrpc").is_some())
}

/// The messages of a body, and whether they came as a batch.
pub(crate) fn messages<'b>(
    root: &'b Value<'b>,
    limits: &Limits,
) -> Result<(Vec<McpMessage<'b>>, bool), Undecidable> {
    let place = Place::ROOT;
    let Some(batch) = root.as_array() else {
        return Ok((vec![message(&place, root)?], false));
    };
    if batch.is_empty() {
        return Err(place.wrong(Cause::Empty, root));
    }
    if batch.len() > limits.parts {
        return Err(place.wrong(Cause::TooMany, root));
    }
    let messages = batch
        .iter()
        .enumerate()
        .map(|(index, element)| message(&place.index(index), element))
        .collect::<Result<_, _>>()?;
    Ok((messages, true))
}

/// One message.
pub(crate) fn message<'b>(
    at: &Place<'_>,
    value: &'b Value<'b>,
) -> Result<McpMessage<'b>, Undecidable> {
    unmistakable(at, value, ENVELOPE)?;
    if value.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return Err(at.key("jsonrpc").wrong(Cause::Schema, value));
    }
    let method = match (value.get("method"), value.get("result"), value.get("error")) {
        (Some(method), None, None) => {
            let method = read::required(&at.key("method"), method)?;
            request(&at.key("params"), method, value.get("params"))?
        }
        (None, Some(result), None) => outcome(&at.key("result"), result)?,
        (None, None, Some(error)) => McpMethod::Failure(McpError {
            code: error
                .get("code")
                .and_then(Value::as_number)
                .and_then(crate::json::Number::as_i64),
            message: read::optional(&at.key("error"), error, "message")?.unwrap_or_default(),
        }),
        (_, _, _) => return Err(at.wrong(Cause::Inconsistent, value)),
    };
    Ok(McpMessage {
        id: value.get("id").filter(|id| !id.is_null()),
        method,
        value,
    })
}

fn request<'b>(
    at: &Place<'_>,
    method: &'b str,
    params: Option<&'b Value<'b>>,
) -> Result<McpMethod<'b>, Undecidable> {
    let mut name = None;
    let mut uri = None;
    let mut arguments = None;
    let mut client = None;
    if let Some(params) = params.filter(|params| params.as_object().is_some()) {
        unmistakable(at, params, PARAMS)?;
        // What a call is about must be there and be a text; elsewhere the same keys may be anything.
        if matches!(method, "tools/call" | "prompts/get") {
            name = Some(read::member(at, params, "name")?);
            arguments = params.get("arguments").map(Arguments::Value);
        }
        if method.starts_with("resources/") {
            uri = read::optional(at, params, "uri")?;
        }
        client = party(params.get("clientInfo"));
    } else if let (Some(params), "tools/call" | "prompts/get" | "resources/read") = (params, method)
    {
        return Err(at.wrong(Cause::Schema, params));
    }
    Ok(McpMethod::Request {
        method,
        name,
        uri,
        arguments,
        params,
        client,
    })
}

fn outcome<'b>(at: &Place<'_>, value: &'b Value<'b>) -> Result<McpMethod<'b>, Undecidable> {
    let mut parts = Vec::new();
    for key in SAYINGS {
        let place = at.key(key);
        for (index, element) in elements(value, key) {
            parts.push(part(&place.index(index), element)?);
        }
    }
    if let Some(structured) = value.get("structuredContent") {
        parts.append(&mut provider::texts(structured));
    }
    let mut tools = Vec::new();
    for (key, kind) in LISTINGS {
        let place = at.key(key);
        for (index, element) in elements(value, key) {
            tools.push(listed(&place.index(index), kind, element)?);
        }
    }
    Ok(McpMethod::Result {
        server: party(value.get("serverInfo")),
        instructions: value.get("instructions").and_then(Value::as_str),
        tools,
        parts,
        failed: value.get("isError").and_then(Value::as_bool) == Some(true),
        value,
    })
}

fn elements<'b>(value: &'b Value<'b>, key: &str) -> impl Iterator<Item = (usize, &'b Value<'b>)> {
    let list = value.get(key).map(Value::elements).unwrap_or_default();
    list.iter().enumerate()
}

/// Where results have parts for the model to read.
pub(crate) const SAYINGS: [&str; 3] = ["content", "contents", "messages"];

/// Where results list what a server has, and what that is.
pub(crate) const LISTINGS: [(&str, ToolKind); 4] = [
    ("prompts", ToolKind::Prompt),
    ("resourceTemplates", ToolKind::ResourceTemplate),
    ("resources", ToolKind::Resource),
    ("tools", ToolKind::Mcp),
];

/// One tool, prompt or resource of a listing, under the name that it is asked for by.
pub(crate) fn listed<'b>(
    at: &Place<'_>,
    kind: ToolKind,
    value: &'b Value<'b>,
) -> Result<Tool<'b>, Undecidable> {
    let name = match kind {
        ToolKind::Resource => "uri",
        ToolKind::ResourceTemplate => "uriTemplate",
        ToolKind::Computer
        | ToolKind::Custom
        | ToolKind::Function
        | ToolKind::Hosted
        | ToolKind::Mcp
        | ToolKind::Prompt
        | ToolKind::Unknown => "name",
    };
    Ok(Tool {
        kind,
        name: read::member(at, value, name)?,
        description: read::optional(at, value, "description")?,
        parameters: value.get("inputSchema"),
        server: None,
        value,
    })
}

/// One piece of what a tool, resource or prompt gave back.
pub(crate) fn part<'b>(at: &Place<'_>, value: &'b Value<'b>) -> Result<Part<'b>, Undecidable> {
    // Prompts and samples wrap it in a message, resources in a resource.
    let inner = ["content", "resource"]
        .iter()
        .find_map(|key| value.get(key))
        .filter(|inner| inner.as_object().is_some())
        .unwrap_or(value);
    if let Some(text) = read::optional(at, inner, "text")? {
        return Ok(Part::Text(text));
    }
    let media_type = read::optional(at, inner, "mimeType")?;
    for key in ["data", "blob"] {
        if let Some(data) = read::optional(at, inner, key)? {
            return Ok(Part::Attachment(provider::from_base64(
                "file", media_type, data,
            )));
        }
    }
    if let Some(uri) = read::optional(at, inner, "uri")? {
        return Ok(Part::Attachment(Attachment {
            kind: "file",
            media_type,
            name: read::optional(at, inner, "name")?,
            size: None,
            reference: Some(uri),
        }));
    }
    Ok(Part::Unknown(Unknown {
        place: at.pointer(),
        name: read::optional(at, inner, "type")?.unwrap_or("content"),
        value,
    }))
}

fn party<'b>(value: Option<&'b Value<'b>>) -> Option<McpParty<'b>> {
    let value = value?;
    Some(McpParty {
        name: value.get("name").and_then(Value::as_str)?,
        version: value.get("version").and_then(Value::as_str),
    })
}

/// No key that a careless reader would take for one of `known`.
fn unmistakable<'b>(
    at: &Place<'_>,
    value: &'b Value<'b>,
    known: &[&str],
) -> Result<(), Undecidable> {
    let mut notes = Notes::default();
    for member in read::object(at, value)? {
        if !known.contains(&member.key()) {
            notes.member(at, member, known)?;
        }
    }
    Ok(())
}

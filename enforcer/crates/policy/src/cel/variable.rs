//! The facts that expressions speak of, with their types.

/// What a fact is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    /// Anything; known only when it is there.
    Any,
    Bool,
    Double,
    Int,
    /// A list of things that have these fields.
    List(&'static [Member]),
    /// A map with these fields and no others.
    Map(&'static [Member]),
    String,
    /// A list of strings.
    Strings,
}

/// A fact, or a field of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) name: &'static str,
    pub(crate) of: Type,
}

const fn member(name: &'static str, of: Type) -> Member {
    Member { name, of }
}

const WORKLOAD: &[Member] = &[
    member("name", Type::String),
    member("image", Type::String),
    member("container", Type::String),
    member("pod", Type::String),
    member("namespace", Type::String),
    member("unit", Type::String),
    member("labels", Type::Any),
];
const PRINCIPAL: &[Member] = &[
    member("name", Type::String),
    member("groups", Type::Strings),
];
const PROCESS: &[Member] = &[member("uid", Type::Int)];
const REQUEST: &[Member] = &[
    member("method", Type::String),
    member("path", Type::String),
    member("query", Type::String),
    member("host", Type::String),
    member("port", Type::Int),
    member("protocol", Type::String),
    member("headers", Type::Any),
    member("content_type", Type::String),
];
const MESSAGE: &[Member] = &[member("role", Type::String), member("text", Type::String)];
const TOOL: &[Member] = &[
    member("name", Type::String),
    member("kind", Type::String),
    member("description", Type::String),
];
const CALL: &[Member] = &[member("name", Type::String), member("arguments", Type::Any)];
const ATTACHMENT: &[Member] = &[
    member("kind", Type::String),
    member("content_type", Type::String),
    member("name", Type::String),
    member("reference", Type::String),
    member("size", Type::Int),
];
const MCP: &[Member] = &[
    member("method", Type::String),
    member("tool", Type::String),
    member("prompt", Type::String),
    member("resource", Type::String),
    member("arguments", Type::Any),
];
const ANSWER: &[Member] = &[
    member("status", Type::Int),
    member("content_type", Type::String),
    member("size", Type::Int),
    member("rows", Type::Int),
    member("text", Type::String),
    member("tool_call", Type::Map(CALL)),
    member("tool", Type::Map(TOOL)),
];

/// Every fact, in the order of their names. What is not there is null; lists are empty.
pub(crate) const VARIABLES: &[Member] = &[
    member("answer", Type::Map(ANSWER)),
    member("attachments", Type::List(ATTACHMENT)),
    member("body", Type::Any),
    member("cost", Type::Double),
    member("max_tokens", Type::Int),
    member("mcp", Type::List(MCP)),
    member("messages", Type::List(MESSAGE)),
    member("model", Type::String),
    member("operation", Type::String),
    member("principal", Type::Map(PRINCIPAL)),
    member("process", Type::Map(PROCESS)),
    member("provider", Type::String),
    member("request", Type::Map(REQUEST)),
    member("size", Type::Int),
    member("stream", Type::Bool),
    member("temperature", Type::Double),
    member("tokens", Type::Int),
    member("tool_calls", Type::List(CALL)),
    member("tool_choice", Type::String),
    member("tools", Type::List(TOOL)),
    member("workload", Type::Map(WORKLOAD)),
];

/// Where a fact stands among them.
pub(crate) fn find(name: &str) -> Option<usize> {
    VARIABLES.iter().position(|variable| variable.name == name)
}

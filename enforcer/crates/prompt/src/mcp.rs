//! MCP: JSON-RPC messages, in requests and in answers.

use crate::call::{Arguments, Part, Tool};
use crate::json::Value;

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
        /// The tools listed.
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
    pub code: i64,
    /// Its words.
    pub message: &'b str,
}

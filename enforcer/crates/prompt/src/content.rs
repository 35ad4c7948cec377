//! What a request's body says, the same for all providers.

use crate::call::ModelCall;
use crate::mcp::McpMessage;

/// What a body says.
#[derive(Clone, Debug, PartialEq)]
pub enum Content<'b> {
    /// Nothing: there are no bytes.
    Empty,
    /// Messages to an MCP server.
    Mcp {
        /// The messages, in order.
        messages: Vec<McpMessage<'b>>,
        /// Whether they came as a list.
        batch: bool,
    },
    /// A request to a model.
    Model(Box<ModelCall<'b>>),
    /// Anything else that is sound; what it holds is in the [`Body`](crate::Body).
    Plain,
}

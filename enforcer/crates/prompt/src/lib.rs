//! What is said to models, by models, and to tools: bytes of requests and answers to [`Content`], in whatever provider's
//! shape they come. What can be read in two ways is [`Undecidable`] and never half read.
//!
//! Pure: no I/O, no clock, no globals.

#![forbid(unsafe_code)]

mod content;
mod undecidable;

pub use content::{
    Attachment, Content, Listed, Mcp, Message, Operation, Provider, Role, Tool, ToolCall,
};
pub use undecidable::Undecidable;

//! What is said to models, by models, and to tools: bytes of requests and answers to [`Content`], in whatever provider's
//! shape they come. What can be read in two ways is [`Undecidable`] and never half read.
//!
//! Pure: no I/O, no clock, no globals.

#![forbid(unsafe_code)]

mod answer;
mod body;
mod call;
mod content;
mod edit;
pub mod json;
mod limits;
mod mcp;
mod provider;
mod read;
mod shape;
mod undecidable;

pub use answer::{Answer, Finish, Tally, Usage};
pub use body::{Body, Field, Fields, File};
pub use call::{
    Arguments, Attachment, Message, ModelCall, Part, Role, Tool, ToolCall, ToolChoice, ToolKind,
    ToolResult, Unknown,
};
pub use content::Content;
pub use edit::{
    AnswerEditor, Event, Events, Form, Item, Judge, Ruling, Stop, Text, TextEditor, Texts,
    edit_message,
};
pub use limits::Limits;
pub use mcp::{McpError, McpMessage, McpMethod, McpParty};
pub use shape::{AnswerHead, Api, Head, Media, Operation, Provider, Shape, recognise};
pub use undecidable::{Cause, Undecidable};

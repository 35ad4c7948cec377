//! Bodies as SDKs send them, read into facts; and bodies that nobody should read.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod facts;
mod forms;
mod golden;
mod heads;
mod refusals;
mod strict;

use enforcer_prompt::{Body, Cause, Content, Head, Limits, Undecidable, recognise};

/// A request for JSON at a host and path.
fn post<'a>(host: &'a str, path: &'a str) -> Head<'a> {
    Head {
        host,
        method: "POST",
        path,
        content_type: Some("application/json"),
        ..Head::default()
    }
}

/// Reads a body under a head and shows what it says.
fn read(head: &Head<'_>, bytes: &[u8]) -> Result<String, Undecidable> {
    let shape = recognise(head);
    let limits = Limits::default();
    let body = Body::parse(&shape, bytes, &limits)?;
    let content = body.content(&shape, &limits)?;
    Ok(match content {
        Content::Empty => "empty\n".to_owned(),
        Content::Plain => "plain\n".to_owned(),
        Content::Mcp { messages, batch } => facts::mcp(&messages, batch),
        Content::Model(call) => facts::model(&call),
    })
}

/// Why a body is not read.
fn cause(head: &Head<'_>, bytes: &[u8]) -> Option<Cause> {
    read(head, bytes).err().map(|undecidable| undecidable.cause)
}

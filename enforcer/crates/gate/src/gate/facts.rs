//! What the ledger says of an exchange: who, where, and of a body that was judged what it is about, never what it says.

use enforcer_audit::{ContentFacts, ExchangeFacts};
use enforcer_flow::ExchangeId;
use enforcer_policy::{Body, Read};
use enforcer_prompt::{Content, McpMethod};

use super::Ask;
use crate::Flow;

pub(super) fn facts<'a>(id: ExchangeId, flow: &'a Flow, ask: &Ask<'a>) -> ExchangeFacts<'a> {
    let request = ask.request;
    let path = request.map(|request| request.path);
    ExchangeFacts {
        exchange: id,
        flow: flow.id(),
        workload: flow.workload(),
        process: flow.process(),
        protocol: ask.protocol,
        host: &ask.destination.host,
        port: ask.destination.port,
        method: request.map(|request| request.method),
        path: ask.shown_path.or(path),
        query_bytes: request
            .and_then(|request| request.query)
            .map(|query| query.len() as u64),
        credentials: ask.credentials,
        content: request.and_then(|request| match request.body {
            Body::Read(read) => Some(content(read)),
            Body::Later | Body::None | Body::Undecidable(_) | Body::Unread => None,
        }),
    }
}

fn content(read: Read<'_>) -> ContentFacts<'_> {
    let bytes = read.bytes;
    let facts = ContentFacts {
        bytes,
        ..ContentFacts::default()
    };
    match read.content {
        Content::Empty | Content::Plain => facts,
        Content::Mcp { messages, .. } => match messages.first().map(|message| &message.method) {
            Some(McpMethod::Request {
                method, name, uri, ..
            }) => ContentFacts {
                mcp: Some(method),
                tool: name.or(*uri),
                messages: Some(messages.len() as u64),
                ..facts
            },
            Some(McpMethod::Failure(_) | McpMethod::Result { .. }) | None => facts,
        },
        Content::Model(call) => ContentFacts {
            provider: Some(call.provider.as_str()),
            operation: Some(call.operation.as_str()),
            model: call.model,
            messages: Some(call.messages.len() as u64),
            tools: Some(call.tools.len() as u64),
            ..facts
        },
    }
}

//! Facts as lines, for people to compare.

use std::fmt::Write as _;

use enforcer_prompt::{
    Arguments, Attachment, McpMessage, McpMethod, ModelCall, Part, Tool, ToolCall, ToolChoice,
};

pub(crate) fn model(call: &ModelCall<'_>) -> String {
    let mut text = format!("{} {:?}", call.provider.as_str(), call.operation);
    for (name, value) in [
        ("model", call.model.map(str::to_owned)),
        ("max", call.max_tokens.map(|it| it.to_string())),
        ("temperature", call.temperature.map(|it| it.to_string())),
        ("n", call.n.map(|it| it.to_string())),
        ("stream", call.stream.then(|| "yes".to_owned())),
        ("choice", call.tool_choice.as_ref().map(choice)),
    ] {
        if let Some(value) = value {
            write!(text, " {name}={value}").unwrap();
        }
    }
    text.push('\n');
    for instructions in &call.instructions {
        writeln!(text, "instructions: {instructions:?}").unwrap();
    }
    for message in &call.messages {
        let name = message.name.map(|name| format!(" ({name})"));
        let role = message.role.as_str();
        writeln!(text, "{role}{}:", name.unwrap_or_default()).unwrap();
        for part in &message.parts {
            writeln!(text, "  {}", self::part(part)).unwrap();
        }
    }
    for tool in &call.tools {
        writeln!(text, "tool {}", self::tool(tool)).unwrap();
    }
    for attachment in &call.attachments {
        writeln!(text, "{}", self::attachment(attachment)).unwrap();
    }
    for context in &call.context {
        writeln!(text, "context {context}").unwrap();
    }
    for unknown in &call.unknown {
        writeln!(text, "unknown {} at {}", unknown.name, unknown.place).unwrap();
    }
    text
}

pub(crate) fn mcp(messages: &[McpMessage<'_>], batch: bool) -> String {
    let mut text = String::from(if batch { "mcp batch\n" } else { "mcp\n" });
    for message in messages {
        let id = message.id.map(|id| id.kind());
        match &message.method {
            McpMethod::Failure(error) => {
                writeln!(text, "failure {:?} {:?}", error.code, error.message)
            }
            McpMethod::Request {
                method,
                name,
                uri,
                arguments,
                client,
                ..
            } => writeln!(
                text,
                "{method} id={id:?} name={name:?} uri={uri:?} arguments={} client={:?}",
                arguments.is_some(),
                client.map(|client| client.name)
            ),
            McpMethod::Result {
                tools,
                parts,
                failed,
                ..
            } => {
                let parts: Vec<_> = parts.iter().map(part).collect();
                let tools: Vec<_> = tools.iter().map(tool).collect();
                writeln!(text, "result failed={failed} {tools:?} {parts:?}")
            }
        }
        .unwrap();
    }
    text
}

fn choice(choice: &ToolChoice<'_>) -> String {
    match choice {
        ToolChoice::Allowed(names) => format!("allowed({})", names.join(",")),
        ToolChoice::Auto => "auto".to_owned(),
        ToolChoice::None => "none".to_owned(),
        ToolChoice::Other(_) => "other".to_owned(),
        ToolChoice::Required => "required".to_owned(),
        ToolChoice::Tool(name) => format!("tool({name})"),
    }
}

fn part(part: &Part<'_>) -> String {
    match part {
        Part::Attachment(it) => attachment(it),
        Part::Refusal(text) => format!("refusal {text:?}"),
        Part::Text(text) => format!("text {text:?}"),
        Part::Thinking(text) => format!("thinking {text:?}"),
        Part::ToolCall(it) => format!("call {}", call(it)),
        Part::ToolResult(result) => {
            let parts: Vec<_> = result.parts.iter().map(self::part).collect();
            let failed = if result.failed { " failed" } else { "" };
            let (id, name) = (result.id, result.name);
            format!("result of {id:?} {name:?}{failed}: {}", parts.join(" | "))
        }
        Part::Unknown(it) => format!("unknown {} at {}", it.name, it.place),
    }
}

pub(crate) fn call(call: &ToolCall<'_>) -> String {
    let arguments = match call.arguments {
        Arguments::Text(text) => format!("{text:?}"),
        Arguments::Value(value) => format!("<{}>", value.kind()),
    };
    let server = call.server.map(|server| format!(" at {server}"));
    format!(
        "{} {} {arguments} {:?}{}",
        call.kind.as_str(),
        call.name,
        call.id,
        server.unwrap_or_default()
    )
}

fn tool(tool: &Tool<'_>) -> String {
    format!(
        "{} {} {:?} parameters={} server={:?}",
        tool.kind.as_str(),
        tool.name,
        tool.description,
        tool.parameters.is_some(),
        tool.server
    )
}

fn attachment(it: &Attachment<'_>) -> String {
    format!(
        "attachment {} {:?} name={:?} size={:?} reference={:?}",
        it.kind, it.media_type, it.name, it.size, it.reference
    )
}

//! Messages to MCP servers.

use crate::condition::Reader;
use crate::condition::argument::Arguments;
use crate::condition::call::optional;
use crate::condition::command::Commands;
use crate::condition::words::Words;
use crate::facts::{Call, Facts};
use crate::parse::fields::Fields;
use crate::parse::tree::Entry;
use crate::truth::{Fact, Stance, Truth};

/// What a message is to be like. All that is given must hold.
#[derive(Debug)]
pub(crate) struct McpTest {
    server: Option<Words>,
    method: Option<Words>,
    tool: Option<Words>,
    prompt: Option<Words>,
    resource: Option<Words>,
    arguments: Option<Arguments>,
    command: Option<Commands>,
}

impl McpTest {
    pub(crate) const KEYS: [&'static str; 7] = [
        "server",
        "method",
        "tool",
        "prompt",
        "resource",
        "arguments",
        "command",
    ];

    pub(crate) fn read(entry: Entry<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let mut map = Fields::open(entry.into_value(), "`mcp`", &Self::KEYS, reader.findings)?;
        let arguments = map.take("arguments");
        let command = map.take("command");
        let mut words = |key| optional(map.take(key).map(|entry| Words::read(entry, reader)));
        let (server, method) = (words("server")?, words("method")?);
        let (tool, prompt, resource) = (words("tool")?, words("prompt")?, words("resource")?);
        Some(Self {
            server,
            method,
            tool,
            prompt,
            resource,
            arguments: optional(arguments.map(|entry| Arguments::read(entry, reader)))?,
            command: optional(command.map(|entry| Commands::read(entry, reader)))?,
        })
    }

    pub(crate) fn judge(&self, facts: &Facts<'_, '_>, stance: Stance) -> Truth {
        let server = self.server(facts, stance);
        if server == Truth::No {
            return Truth::No;
        }
        let calls = facts.mcp();
        let judged = match &calls {
            Fact::Known(calls) => {
                stance.over(calls.iter().map(|call| self.call(call, facts, stance)))
            }
            Fact::Absent => Truth::No,
            Fact::Unknown => Truth::Unknown,
            Fact::Unread => Truth::Unread,
        };
        server.and(judged)
    }

    fn call(&self, call: &Call<'_>, facts: &Facts<'_, '_>, stance: Stance) -> Truth {
        // What calls no tool has none that rules could be about, and answers have no method.
        let words = |words: &Option<Words>, value: Option<&str>| match (words, value) {
            (None, _) => Truth::Yes,
            (Some(_), None) => Truth::No,
            (Some(words), Some(value)) => words.judge(value, stance),
        };
        let named = words(&self.method, call.method)
            .and(words(&self.tool, call.tool))
            .and(words(&self.prompt, call.prompt))
            .and(words(&self.resource, call.resource));
        if named == Truth::No {
            return Truth::No;
        }
        let arguments = self.arguments.as_ref();
        let arguments =
            arguments.map_or(Truth::Yes, |own| own.judge(call.arguments, facts, stance));
        let command = self.command.as_ref();
        let command = command.map_or(Truth::Yes, |commands| {
            let absent = Truth::No;
            call.arguments
                .judge(absent, |arguments| commands.judge(arguments))
        });
        named.and(arguments).and(command)
    }

    /// The server is where the message goes to: host and path.
    fn server(&self, facts: &Facts<'_, '_>, stance: Stance) -> Truth {
        let Some(words) = &self.server else {
            return Truth::Yes;
        };
        match facts.request() {
            None => Truth::Unknown,
            Some(request) => {
                let server = format!("{}{}", facts.question.host, request.path);
                words.judge(&server, stance)
            }
        }
    }
}

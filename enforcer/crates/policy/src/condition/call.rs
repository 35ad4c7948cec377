//! Tool calls: which tool, with which arguments, running which commands.

use enforcer_prompt::ToolCall;

use crate::condition::Reader;
use crate::condition::argument::Arguments;
use crate::condition::command::Commands;
use crate::condition::words::Words;
use crate::facts::Facts;
use crate::parse::fields::Fields;
use crate::parse::tree::{Entry, Value};
use crate::truth::{Fact, Stance, Truth};

/// The kinds of tools, by who runs them.
pub(crate) const KINDS: [&str; 6] = ["computer", "custom", "function", "hosted", "mcp", "unknown"];

/// What a tool call is to be like. All that is given must hold.
#[derive(Debug)]
pub(crate) struct CallTest {
    name: Option<Words>,
    arguments: Option<Arguments>,
    command: Option<Commands>,
}

impl CallTest {
    pub(crate) const KEYS: [&'static str; 3] = ["name", "arguments", "command"];

    /// Reads names alone, or a map.
    pub(crate) fn read(entry: Entry<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let negated = matches!(&entry.value.value, Value::Map(entries)
            if entries.iter().any(|entry| entry.key == "not"));
        if negated || !matches!(entry.value.value, Value::Map(_)) {
            return Some(Self {
                name: Some(Words::read(entry, reader)?),
                arguments: None,
                command: None,
            });
        }
        let what = "a tool call's test";
        let mut map = Fields::open(entry.into_value(), what, &Self::KEYS, reader.findings)?;
        let name = map.take("name");
        let arguments = map.take("arguments");
        let command = map.take("command");
        Some(Self {
            name: optional(name.map(|entry| Words::read(entry, reader)))?,
            arguments: optional(arguments.map(|entry| Arguments::read(entry, reader)))?,
            command: optional(command.map(|entry| Commands::read(entry, reader)))?,
        })
    }

    pub(crate) fn judge(
        &self,
        call: &ToolCall<'_>,
        facts: &Facts<'_, '_>,
        stance: Stance,
    ) -> Truth {
        let name = self
            .name
            .as_ref()
            .map_or(Truth::Yes, |words| words.judge(call.name, stance));
        if name == Truth::No {
            return Truth::No;
        }
        let arguments = Fact::Known(&call.arguments);
        let own = self.arguments.as_ref();
        let own = own.map_or(Truth::Yes, |own| own.judge(arguments, facts, stance));
        let command = self.command.as_ref();
        let command = command.map_or(Truth::Yes, |commands| commands.judge(&call.arguments));
        name.and(own).and(command)
    }
}

/// A part that may be left out, but not be wrong.
pub(crate) fn optional<T>(read: Option<Option<T>>) -> Option<Option<T>> {
    match read {
        None => Some(None),
        Some(read) => read.map(Some),
    }
}

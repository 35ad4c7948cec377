//! What an answer says, whole or counted up while it streams.

pub(crate) mod usage;
mod whole;

pub(crate) use whole::{read, rows};

use crate::call::{Message, Part, ToolCall};
use crate::json::Value;
use crate::mcp::McpMessage;

/// What a whole answer says, borrowed from its body.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer<'b> {
    /// The model that answered.
    pub model: Option<&'b str>,
    /// What it said, a message a choice, tool calls among the parts.
    pub messages: Vec<Message<'b>>,
    /// Why it stopped, a reason a choice, in the provider's words.
    pub finish: Vec<&'b str>,
    /// What it cost.
    pub usage: Usage,
    /// Messages of an MCP server.
    pub mcp: Vec<McpMessage<'b>>,
    /// How many rows a document has: the longest list that is reached through objects alone, or the lines of a sequence of
    /// documents.
    pub rows: Option<u64>,
}

/// Tokens, as the provider counted them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Read, including those from a cache.
    pub input: Option<u64>,
    /// Of those, read from a cache.
    pub cached: Option<u64>,
    /// Of those, written to a cache, where that is counted apart.
    pub cache_written: Option<u64>,
    /// Said, including what was thought.
    pub output: Option<u64>,
    /// Of those, thought.
    pub reasoning: Option<u64>,
    /// Of the input, heard.
    pub audio_input: Option<u64>,
    /// Of the output, spoken.
    pub audio_output: Option<u64>,
}

/// Why a choice ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finish {
    /// Which choice.
    pub choice: u64,
    /// In the provider's words.
    pub reason: String,
}

/// What an editor has seen of an answer so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// The model that answered.
    pub model: Option<String>,
    /// What it cost; complete when the stream is.
    pub usage: Usage,
    /// Why it stopped, before anything was taken out.
    pub finish: Vec<Finish>,
    /// Bytes of text that the model said.
    pub text: u64,
    /// Tool calls, listed tools and tool results that were judged.
    pub judged: u64,
    /// Of those, taken out.
    pub stripped: u64,
}

impl Tally {
    /// Notes what an interface says somewhere in its answers: the model and what it cost.
    pub(crate) fn count(&mut self, value: &Value<'_>) {
        let model = value.get("model").or_else(|| value.get("modelVersion"));
        if let (None, Some(model)) = (&self.model, model.and_then(Value::as_str)) {
            self.model = Some(model.to_owned());
        }
        for key in ["usage", "usageMetadata"] {
            if let Some(value) = value.get(key) {
                usage::merge(&mut self.usage, value);
            }
        }
    }
}

impl<'b> Answer<'b> {
    /// The tool calls in it.
    pub fn calls(&self) -> impl Iterator<Item = &ToolCall<'b>> {
        self.messages
            .iter()
            .flat_map(|message| &message.parts)
            .filter_map(|part| match part {
                Part::ToolCall(call) => Some(call),
                Part::Attachment(_)
                | Part::Refusal(_)
                | Part::Text(_)
                | Part::Thinking(_)
                | Part::ToolResult(_)
                | Part::Unknown(_) => None,
            })
    }
}

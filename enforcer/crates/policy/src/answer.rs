//! What is asked about the answer to an exchange that was allowed, part by part. Rulings can only narrow.

use enforcer_prompt as prompt;

use crate::{Cause, RuleRef};

/// One part of an answer.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// The status of the answer.
    pub status: u16,
    /// Its media type, as the head says.
    pub media_type: Option<&'a str>,
    /// What is asked about.
    pub part: Part<'a>,
}

/// What of an answer is asked about.
#[derive(Clone, Copy, Debug)]
pub enum Part<'a> {
    /// So many bytes of the body have come; asked again as more come. Asked with the declared length first, if there is one.
    Bytes(u64),
    /// The head.
    Head,
    /// One tool, prompt or resource in a listing of an MCP server.
    Listed(&'a prompt::Tool<'a>),
    /// So many rows: the elements of the JSON array that the answer is or holds.
    Rows(u64),
    /// A piece of text: what the model says, or what a tool or a page gave.
    Text(&'a str),
    /// One tool call that the model asks for.
    ToolCall(&'a prompt::ToolCall<'a>),
    /// The body cannot be understood in one way only.
    Undecidable(prompt::Cause),
}

/// Which parts of an answer some rule that could match reads. The rest streams.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AnswerNeeds {
    /// The size of the body.
    pub bytes: bool,
    /// Status and media type.
    pub head: bool,
    /// Tools, prompts and resources that are listed.
    pub listed: bool,
    /// Rows.
    pub rows: bool,
    /// Text.
    pub text: bool,
    /// Tool calls.
    pub tool_calls: bool,
}

/// What is to happen to a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// What is to happen.
    pub action: Action,
    /// Why.
    pub cause: Cause,
    /// The rule that says so; none when the part is kept.
    pub rule: Option<RuleRef>,
}

/// What becomes of a part of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Action {
    /// The answer ends here, and the agent learns why.
    #[default]
    Block,
    /// It passes, and is written down.
    Flag,
    /// It passes.
    Keep,
    /// It is left out, and the rest passes. For heads, sizes and rows, of which nothing can be left out, rules block.
    Strip,
}

// === impl AnswerNeeds ===

impl AnswerNeeds {
    /// Nothing is read: the answer passes as it comes.
    pub const NONE: Self = Self {
        bytes: false,
        head: false,
        listed: false,
        rows: false,
        text: false,
        tool_calls: false,
    };

    /// Whether the body's content must be understood.
    #[must_use]
    pub fn content(self) -> bool {
        self.listed || self.rows || self.text || self.tool_calls
    }

    /// Whether anything is read.
    #[must_use]
    pub fn any(self) -> bool {
        self != Self::NONE
    }

    /// What either needs.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            bytes: self.bytes || other.bytes,
            head: self.head || other.head,
            listed: self.listed || other.listed,
            rows: self.rows || other.rows,
            text: self.text || other.text,
            tool_calls: self.tool_calls || other.tool_calls,
        }
    }
}

// === impl Ruling ===

impl Ruling {
    pub(crate) fn keep() -> Self {
        Self {
            action: Action::Keep,
            cause: Cause::NoRule,
            rule: None,
        }
    }
}

// === impl Action ===

impl Action {
    /// The word used in policies, the ledger and logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::Flag => "flag",
            Self::Keep => "keep",
            Self::Strip => "strip",
        }
    }
}

//! Answers edited while they stream: what belongs to a tool call is held back until somebody has ruled on it.

use crate::call::{Tool, ToolCall};
use crate::{Limits, Shape, Tally, Undecidable};

/// Something in an answer that can be ruled on.
#[derive(Clone, Debug, PartialEq)]
pub enum Item<'b> {
    /// The model asks for a tool.
    Call(ToolCall<'b>),
    /// An MCP server lists a tool.
    Listed(Tool<'b>),
    /// A text that an MCP server's tool, resource or prompt gives back.
    Result(&'b str),
}

/// What becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ruling {
    /// The answer ends here.
    Block,
    /// It passes.
    Keep,
    /// It is taken out, and the answer goes on as if it had never been in it.
    Strip,
}

/// Who rules.
pub trait Judge {
    /// Rules on one item, which is complete.
    fn rule(&mut self, item: &Item<'_>) -> Ruling;
}

impl<F: FnMut(&Item<'_>) -> Ruling> Judge for F {
    fn rule(&mut self, item: &Item<'_>) -> Ruling {
        self(item)
    }
}

/// Why an answer goes no further.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// The judge said so.
    #[error("a part of the answer is blocked")]
    Blocked,
    /// It cannot be judged.
    #[error(transparent)]
    Undecidable(#[from] Undecidable),
}

/// An answer on its way, chunk by chunk.
///
/// After a [`Stop`] nothing more comes out; what was given out before is a whole number of events.
#[derive(Debug)]
pub struct AnswerEditor {
    tally: Tally,
}

// === impl AnswerEditor ===

impl AnswerEditor {
    /// An editor for an answer of this shape ([`Shape::answer`]); none when there is nothing in it that could be edited,
    /// and it may pass as it is.
    #[must_use]
    pub fn new(_shape: &Shape, _limits: &Limits) -> Option<Self> {
        None
    }

    /// Takes the next bytes and appends to `out` what may go on.
    ///
    /// # Errors
    ///
    /// When the answer ends here.
    pub fn push(
        &mut self,
        _bytes: &[u8],
        _judge: &mut impl Judge,
        _out: &mut Vec<u8>,
    ) -> Result<(), Stop> {
        Ok(())
    }

    /// Takes the next message of a WebSocket and adds to `out` the messages that may go on.
    ///
    /// # Errors
    ///
    /// When the answer ends here.
    pub fn message(
        &mut self,
        _text: &str,
        _judge: &mut impl Judge,
        _out: &mut Vec<String>,
    ) -> Result<(), Stop> {
        Ok(())
    }

    /// The answer has ended: judges and gives out what was still held.
    ///
    /// # Errors
    ///
    /// When the answer was cut off in the middle of something that has to be judged, or is blocked.
    pub fn finish(&mut self, _judge: &mut impl Judge, _out: &mut Vec<u8>) -> Result<(), Stop> {
        Ok(())
    }

    /// What was seen so far.
    #[must_use]
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// An error as the interface writes it in the middle of such an answer, for SDKs to raise.
    #[must_use]
    pub fn refusal(&self, _code: &str, _message: &str) -> Vec<u8> {
        Vec::new()
    }
}

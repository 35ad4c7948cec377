//! Answers edited while they stream: what belongs to a tool call is held back until somebody has ruled on it.
//!
//! An answer is cut into frames (events of a stream, elements of an array, messages of a WebSocket, or all of it), each a
//! document. A dialect, one for each interface, says which tool calls a frame belongs to, and which have become complete;
//! the desk has them ruled on, keeps frames in order, and lets those go that wait for nothing. As long as nothing was taken
//! out frames leave as they came, byte for byte.

mod anthropic;
mod array;
mod assistants;
mod chat;
mod counts;
mod desk;
mod events;
mod frame;
mod gemini;
mod hearing;
mod mcp;
mod refusal;
mod responses;
mod sse;

use crate::call::{Tool, ToolCall};
use crate::{Api, Cause, Limits, Media, Operation, Provider, Shape, Tally, Undecidable, Usage};
use desk::{Desk, Dialect};
pub use events::{Event, Events};
use frame::Frame;

/// Something in an answer that can be ruled on.
#[derive(Clone, Debug, PartialEq)]
pub enum Item<'b> {
    /// The model asks for a tool.
    Call(ToolCall<'b>),
    /// An MCP server lists a tool, a prompt or a resource.
    Listed(Tool<'b>),
    /// What the model says: a piece of it, with up to 2 KiB of what it said just before. Only asked about after
    /// [`AnswerEditor::hear`]; it passes or ends the answer, stripping is blocking.
    Said(&'b str),
    /// A text that an MCP server's tool, resource or prompt gives back, or that it wants a model to be told.
    Result(&'b str),
}

/// What becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ruling {
    /// The answer ends here.
    Block,
    /// It passes.
    Keep,
    /// It is taken out, and the answer goes on as if it had never been in it. Where the other side would wait for it for
    /// ever, the answer ends instead.
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
    framing: Framing,
    desk: Desk,
    style: refusal::Style,
    stopped: Option<Stop>,
}

/// How the answer is cut.
#[derive(Debug)]
enum Framing {
    Array(array::Splitter),
    Events(sse::Splitter),
    /// Not cut, because nobody has to look any more.
    Passing,
    /// Elements of an array, if it turns out to be one; so far only white space.
    Undetermined(Vec<u8>),
    Whole(Vec<u8>),
}

// === impl Framing ===

impl Framing {
    /// Settles how the answer is cut, once a byte says so, and gives back the white space that came before; nothing as long
    /// as there is no other.
    fn determine(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let Self::Undetermined(before) = self else {
            return Some(Vec::new());
        };
        let Some(first) = bytes.iter().find(|byte| !byte.is_ascii_whitespace()) else {
            before.extend_from_slice(bytes);
            return None;
        };
        let spaces = std::mem::take(before);
        *self = match first {
            b'[' => Self::Array(array::Splitter::default()),
            _ => Self::Whole(Vec::new()),
        };
        Some(spaces)
    }
}

// === impl AnswerEditor ===

impl AnswerEditor {
    /// An editor for an answer of this shape ([`Shape::answer`]); none when there is nothing in it that could be ruled on
    /// or counted.
    #[must_use]
    pub fn new(shape: &Shape, limits: &Limits) -> Option<Self> {
        let dialect: Box<dyn Dialect> = match shape.api {
            Api::Mcp => Box::new(mcp::Mcp::default()),
            Api::Model(provider, operation) => dialect(provider, operation)?,
            Api::Other => return None,
        };
        let framing = match (&shape.media, shape.api) {
            (Media::EventStream, _) => Framing::Events(sse::Splitter::default()),
            (_, Api::Model(Provider::Gemini, _)) => Framing::Undetermined(Vec::new()),
            // A content type that promises something else is no reason to look away.
            (_, _) => Framing::Whole(Vec::new()),
        };
        Some(Self {
            framing,
            desk: Desk::new(dialect, limits),
            style: refusal::Style::of(shape),
            stopped: None,
        })
    }

    /// Asks about what the model says too, not only about what it wants done.
    pub fn hear(&mut self) {
        self.desk.hear();
    }

    /// Takes the next bytes and appends to `out` what may go on.
    ///
    /// # Errors
    ///
    /// When the answer ends here.
    pub fn push(
        &mut self,
        bytes: &[u8],
        judge: &mut impl Judge,
        out: &mut Vec<u8>,
    ) -> Result<(), Stop> {
        self.guarded(|editor| editor.take(bytes, judge, out))
    }

    /// Takes the next message of a WebSocket and adds to `out` the messages that may go on.
    ///
    /// # Errors
    ///
    /// When the answer ends here.
    pub fn message(
        &mut self,
        text: &str,
        judge: &mut impl Judge,
        out: &mut Vec<String>,
    ) -> Result<(), Stop> {
        self.guarded(|editor| {
            let frame = Frame::whole(text.as_bytes());
            editor.desk.take(&frame, judge, &mut |bytes| {
                out.push(String::from_utf8_lossy(bytes).into_owned());
            })
        })
    }

    /// The answer has ended: judges and gives out what was still held.
    ///
    /// # Errors
    ///
    /// When the answer was cut off in the middle of something that has to be judged, or is blocked.
    pub fn finish(&mut self, judge: &mut impl Judge, out: &mut Vec<u8>) -> Result<(), Stop> {
        self.guarded(|editor| {
            editor.last(judge, out)?;
            let mut emit = |bytes: &[u8]| out.extend_from_slice(bytes);
            editor.desk.end(judge, &mut emit)
        })
    }

    /// What was seen so far.
    #[must_use]
    pub fn tally(&self) -> &Tally {
        self.desk.tally()
    }

    /// Takes what was counted since this was last asked; none when that was nothing. Over a WebSocket there are many answers,
    /// each of which says at its end what it took.
    pub fn take_usage(&mut self) -> Option<Usage> {
        let usage = self.desk.take_usage();
        (usage != Usage::default()).then_some(usage)
    }

    /// An error as the interface writes it in the middle of such an answer, for SDKs to raise. A whole answer is to be
    /// replaced by it, a stream ends with it, over a WebSocket it is the last message.
    #[must_use]
    pub fn refusal(&self, code: &str, message: &str) -> Vec<u8> {
        self.style.write(code, message)
    }

    fn guarded(&mut self, act: impl FnOnce(&mut Self) -> Result<(), Stop>) -> Result<(), Stop> {
        if let Some(stop) = &self.stopped {
            return Err(stop.clone());
        }
        let result = act(self);
        self.stopped = result.clone().err();
        result
    }

    fn take(
        &mut self,
        bytes: &[u8],
        judge: &mut impl Judge,
        out: &mut Vec<u8>,
    ) -> Result<(), Stop> {
        let Self { framing, desk, .. } = self;
        let Some(spaces) = framing.determine(bytes) else {
            return match framing {
                Framing::Undetermined(spaces) if spaces.len() > desk.limits().held => {
                    Err(Undecidable::new(Cause::TooLarge, "", spaces.len()).into())
                }
                _ => Ok(()),
            };
        };
        let joined;
        let bytes = if spaces.is_empty() {
            bytes
        } else {
            joined = [&spaces, bytes].concat();
            &joined
        };
        if desk.only_counts() {
            out.extend_from_slice(bytes);
            Self::count(framing, desk, bytes, judge);
            return Ok(());
        }
        let mut emit = |bytes: &[u8]| out.extend_from_slice(bytes);
        match framing {
            Framing::Array(splitter) => {
                let limits = *desk.limits();
                splitter.push(bytes, &limits, &mut |frame| {
                    desk.take(frame, judge, &mut emit)
                })
            }
            Framing::Events(splitter) => {
                let limits = *desk.limits();
                splitter.push(bytes, &limits, &mut |frame| {
                    desk.take(frame, judge, &mut emit)
                })
            }
            Framing::Whole(held) => {
                if held.len() + bytes.len() > desk.limits().held {
                    return Err(Undecidable::new(Cause::TooLarge, "", held.len()).into());
                }
                held.extend_from_slice(bytes);
                Ok(())
            }
            Framing::Passing | Framing::Undetermined(_) => Ok(()),
        }
    }

    /// Counts what goes by. What is too long or makes no sense is not counted, and not held up either.
    fn count(framing: &mut Framing, desk: &mut Desk, bytes: &[u8], judge: &mut impl Judge) {
        let limits = *desk.limits();
        let fine = match framing {
            Framing::Events(splitter) => splitter
                .push(bytes, &limits, &mut |frame| {
                    desk.take(frame, judge, &mut |_| {})
                })
                .is_ok(),
            Framing::Whole(kept) if kept.len() + bytes.len() <= limits.held => {
                kept.extend_from_slice(bytes);
                true
            }
            Framing::Array(_) | Framing::Passing | Framing::Undetermined(_) | Framing::Whole(_) => {
                false
            }
        };
        if !fine {
            *framing = Framing::Passing;
        }
    }

    /// Counts what is left; it has passed already, in whatever state.
    fn count_last(framing: &mut Framing, desk: &mut Desk, judge: &mut impl Judge) {
        let mut pass = |_: &[u8]| {};
        let counted = match framing {
            Framing::Events(splitter) => {
                splitter.finish(&mut |frame| desk.take(frame, judge, &mut pass))
            }
            Framing::Whole(kept) => desk.take(&Frame::whole(kept), judge, &mut pass),
            Framing::Array(_) | Framing::Passing | Framing::Undetermined(_) => Ok(()),
        };
        if counted.is_err() {
            *framing = Framing::Passing;
        }
    }

    fn last(&mut self, judge: &mut impl Judge, out: &mut Vec<u8>) -> Result<(), Stop> {
        let Self { framing, desk, .. } = self;
        if desk.only_counts() {
            Self::count_last(framing, desk, judge);
            return Ok(());
        }
        let mut emit = |bytes: &[u8]| out.extend_from_slice(bytes);
        match framing {
            Framing::Array(splitter) => {
                splitter.finish(&mut |frame| desk.take(frame, judge, &mut emit))
            }
            Framing::Events(splitter) => {
                splitter.finish(&mut |frame| desk.take(frame, judge, &mut emit))
            }
            Framing::Whole(held) => {
                let held = std::mem::take(held);
                if held.trim_ascii().is_empty() {
                    emit(&held);
                    return Ok(());
                }
                desk.take(&Frame::whole(&held), judge, &mut emit)
            }
            Framing::Undetermined(spaces) => {
                emit(spaces);
                Ok(())
            }
            Framing::Passing => Ok(()),
        }
    }
}

/// Who understands the answers of an interface; nobody, where they hold neither tool calls nor numbers.
fn dialect(provider: Provider, operation: Operation) -> Option<Box<dyn Dialect>> {
    Some(match (provider, operation) {
        (Provider::Anthropic, Operation::Chat) => Box::new(anthropic::Anthropic::default()),
        (Provider::Gemini, Operation::Chat) => Box::new(gemini::Gemini::default()),
        (_, Operation::Chat) => Box::new(chat::Chat::default()),
        (_, Operation::Conversations | Operation::Realtime | Operation::Responses) => {
            Box::new(responses::Responses::default())
        }
        (_, Operation::Runs | Operation::Messages | Operation::Threads) => {
            Box::new(assistants::Assistants::default())
        }
        (
            _,
            Operation::AudioTranscriptions
            | Operation::AudioTranslations
            | Operation::Completions
            | Operation::Embeddings
            | Operation::ImageEdits
            | Operation::ImageGenerations
            | Operation::ImageVariations
            | Operation::Moderations,
        ) => Box::new(counts::Counts::of(operation)),
        (
            _,
            Operation::Assistants
            | Operation::AudioSpeech
            | Operation::Batches
            | Operation::CountTokens
            | Operation::Files
            | Operation::FineTuning
            | Operation::Models
            | Operation::Other
            | Operation::RealtimeSessions
            | Operation::Uploads
            | Operation::VectorStores
            | Operation::Videos,
        ) => return None,
    })
}

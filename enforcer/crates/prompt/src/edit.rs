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
mod framing;
mod gemini;
mod hearing;
mod mcp;
mod pen;
mod refusal;
mod responses;
mod sse;
mod text;

pub use text::{Form, Text, TextEditor, Texts};

use crate::call::{Tool, ToolCall};
use crate::{Api, Cause, Limits, Operation, Provider, Shape, Tally, Undecidable, Usage};
use desk::{Desk, Dialect};
pub use events::{Event, Events};
use frame::Frame;
use framing::Framing;
use pen::{Cut, Layout, Pen};

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
    pen: Option<Pen>,
    layout: Option<Layout>,
    style: refusal::Style,
    stopped: Option<Stop>,
}

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
        Some(Self::with(shape, Desk::new(dialect, limits)))
    }

    /// An editor of texts in an answer of any shape, of which nobody rules on anything: no call of a tool is held.
    #[must_use]
    pub fn unjudged(shape: &Shape, limits: &Limits, texts: Box<dyn Texts>) -> Self {
        let counts = counts::Counts::of(Operation::Other);
        let mut desk = Desk::new(Box::new(counts), limits);
        desk.rules_on_nothing();
        let mut editor = Self::with(shape, desk);
        editor.mask(texts);
        editor
    }

    fn with(shape: &Shape, desk: Desk) -> Self {
        Self {
            framing: Framing::of(shape),
            desk,
            pen: None,
            layout: Layout::of_api(shape.api),
            style: refusal::Style::of(shape),
            stopped: None,
        }
    }

    /// Has texts edited on their way: everything the answer says, in pieces or at once, after rules have judged it as it
    /// came. What is held of a text goes out with its next piece, or before its end.
    pub fn mask(&mut self, texts: Box<dyn Texts>) {
        let limits = *self.desk.limits();
        let layout = (self.layout, self.framing.cut());
        self.pen = Some(Pen::new(layout, &limits, texts));
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
            let Self { desk, pen, .. } = editor;
            let mut collect = |bytes: &[u8]| out.push(String::from_utf8_lossy(bytes).into_owned());
            if let Some(pen) = pen {
                pen.is_cut(Cut::Messages);
            }
            desk.take(&frame, judge, &mut passing(pen, &mut collect))
        })
    }

    /// Texts that are held have waited long enough: appends to `out` what may go of them, as if they ended here. They may go on.
    ///
    /// # Errors
    ///
    /// When the answer ends here.
    pub fn lapse(&mut self, out: &mut Vec<u8>) -> Result<(), Stop> {
        self.lapse_to(&mut |bytes| out.extend_from_slice(bytes))
    }

    /// The same over a WebSocket: adds to `out` the messages that are made for it.
    ///
    /// # Errors
    ///
    /// When the answer ends here.
    pub fn lapse_in_messages(&mut self, out: &mut Vec<String>) -> Result<(), Stop> {
        self.lapse_to(&mut |bytes| out.push(String::from_utf8_lossy(bytes).into_owned()))
    }

    fn lapse_to(&mut self, emit: &mut dyn FnMut(&[u8])) -> Result<(), Stop> {
        self.guarded(|editor| match &mut editor.pen {
            Some(pen) => pen.lapse(emit),
            None => Ok(()),
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
            let mut collect = |bytes: &[u8]| out.extend_from_slice(bytes);
            let Self { desk, pen, .. } = editor;
            desk.end(judge, &mut passing(pen, &mut collect))?;
            match pen {
                Some(pen) => pen.end(&mut collect),
                None => Ok(()),
            }
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
        let Self {
            framing, desk, pen, ..
        } = self;
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
        if pen.is_none() && desk.only_counts() {
            out.extend_from_slice(bytes);
            Self::count(framing, desk, bytes, judge);
            return Ok(());
        }
        if let (Some(pen), Framing::Array(_)) = (&mut *pen, &*framing) {
            pen.is_cut(Cut::Elements);
        }
        let mut collect = |bytes: &[u8]| out.extend_from_slice(bytes);
        let mut emit = passing(pen, &mut collect);
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
                    desk.take(frame, judge, &mut |_| Ok(()))
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
        let mut pass = |_: &Frame<'_>| Ok(());
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
        let Self {
            framing, desk, pen, ..
        } = self;
        if pen.is_none() && desk.only_counts() {
            Self::count_last(framing, desk, judge);
            return Ok(());
        }
        let mut collect = |bytes: &[u8]| out.extend_from_slice(bytes);
        let mut emit = passing(pen, &mut collect);
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
                    return emit(&Frame::blank(&held));
                }
                desk.take(&Frame::whole(&held), judge, &mut emit)
            }
            Framing::Undetermined(spaces) => emit(&Frame::blank(spaces)),
            Framing::Passing => Ok(()),
        }
    }
}

/// Edits the texts of one message that is no answer: an event that an agent sends over a WebSocket. None if it stays what it
/// is.
///
/// # Errors
///
/// When it must not go.
pub fn edit_message(
    text: &str,
    limits: &Limits,
    texts: Box<dyn Texts>,
) -> Result<Option<String>, Stop> {
    let mut pen = Pen::new((None, Cut::Whole), limits, texts);
    let mut out = Vec::with_capacity(text.len());
    let frame = Frame::whole(text.as_bytes());
    pen.take(&frame, &mut |bytes| out.extend_from_slice(bytes))?;
    let changed = out != text.as_bytes();
    Ok(changed.then(|| String::from_utf8_lossy(&out).into_owned()))
}

/// Where frames go when the desk lets them go: through the pen, where there is one.
fn passing<'p>(
    pen: &'p mut Option<Pen>,
    collect: &'p mut dyn FnMut(&[u8]),
) -> impl FnMut(&Frame<'_>) -> Result<(), Stop> + 'p {
    move |frame| match pen {
        Some(pen) => pen.take(frame, collect),
        None => {
            collect(frame.raw);
            Ok(())
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

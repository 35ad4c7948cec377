//! A stream of events of whatever interface, read along for how much it brings and what its texts are.

use super::{Stop, sse};
use crate::json::Document;
use crate::{Cause, Limits, Undecidable, answer};

/// How much of what was said before is said again, in bytes: a phrase may stand in two events.
const MEMORY: usize = 2 * 1024;

/// Reads events as they pass. Nothing is held back: an event is told of when all of it is here.
#[derive(Debug)]
pub struct Events {
    splitter: sse::Splitter,
    limits: Limits,
    heard: Heard,
}

/// What events have brought so far.
#[derive(Debug, Default)]
struct Heard {
    rows: u64,
    /// The last of their texts.
    before: String,
}

/// One event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event<'e> {
    /// The rows in all events so far: those of the longest list in each, and one for an event without any.
    pub rows: u64,
    /// The texts in it, a line each, after the last of what was said before.
    pub text: &'e str,
}

// === impl Events ===

impl Events {
    /// Reads within `limits`.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self {
            splitter: sse::Splitter::default(),
            limits: *limits,
            heard: Heard::default(),
        }
    }

    /// Takes the next bytes; `tell` says whether the stream may go on.
    ///
    /// # Errors
    ///
    /// When it may not, or is no sound stream.
    pub fn push(
        &mut self,
        bytes: &[u8],
        tell: &mut dyn FnMut(Event<'_>) -> bool,
    ) -> Result<(), Stop> {
        let Self {
            splitter,
            limits,
            heard,
        } = self;
        splitter.push(bytes, limits, &mut |frame| {
            heard.event(frame.data(), limits, tell)
        })
    }

    /// The stream has ended.
    ///
    /// # Errors
    ///
    /// As [`Events::push`].
    pub fn finish(&mut self, tell: &mut dyn FnMut(Event<'_>) -> bool) -> Result<(), Stop> {
        let Self {
            splitter,
            limits,
            heard,
        } = self;
        splitter.finish(&mut |frame| heard.event(frame.data(), limits, tell))
    }
}

// === impl Heard ===

impl Heard {
    fn event(
        &mut self,
        data: Option<&[u8]>,
        limits: &Limits,
        tell: &mut dyn FnMut(Event<'_>) -> bool,
    ) -> Result<(), Stop> {
        let Some(data) = data.filter(|data| !data.is_empty() && *data != b"[DONE]") else {
            return Ok(());
        };
        let Self { rows, before } = self;
        let in_it = match Document::parse(data, limits) {
            Ok(document) => {
                document.root().strings(&mut |text| {
                    before.push_str(text);
                    before.push('\n');
                });
                answer::rows(document.root())
            }
            // What is no JSON is text.
            Err(_) => {
                let text = std::str::from_utf8(data);
                let text = text.map_err(|_| Undecidable::whole(Cause::InvalidUnicode))?;
                before.push_str(text);
                None
            }
        };
        *rows = rows.saturating_add(in_it.unwrap_or(1).max(1));
        let goes_on = tell(Event {
            rows: *rows,
            text: before,
        });
        let forgotten = before.ceil_char_boundary(before.len().saturating_sub(MEMORY));
        before.drain(..forgotten);
        if goes_on { Ok(()) } else { Err(Stop::Blocked) }
    }
}

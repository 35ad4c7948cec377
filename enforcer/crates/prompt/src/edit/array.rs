//! Elements of a JSON array that arrives piece by piece, as Gemini streams when it is not asked for events.

use super::Stop;
use super::frame::{Data, Frame};
use crate::{Cause, Limits, Undecidable};

/// Bytes of an element that is not complete yet.
#[derive(Debug, Default)]
pub(super) struct Splitter {
    held: Vec<u8>,
    /// Up to where they were looked at.
    seen: usize,
    /// Where the element begins.
    element: Option<usize>,
    depth: usize,
    text: Text,
    state: State,
    before: usize,
}

/// Whether the byte that is looked at belongs to a string.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Text {
    Escaped,
    Inside,
    #[default]
    Outside,
}

/// What may come next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// An element, because a comma came before.
    Another,
    /// A comma or the end.
    Between,
    Ended,
    /// An element or the end.
    First,
    /// The opening bracket.
    #[default]
    Start,
}

impl Splitter {
    pub(super) fn push(
        &mut self,
        bytes: &[u8],
        limits: &Limits,
        take: &mut dyn FnMut(&Frame<'_>) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        self.held.extend_from_slice(bytes);
        let mut start = 0;
        while let Some(&byte) = self.held.get(self.seen) {
            let at = self.seen;
            self.seen += 1;
            let Some(element) = self.element else {
                self.between(byte, at)?;
                continue;
            };
            if self.ends(byte) {
                let raw = self.held.get(start..=at).unwrap_or_default();
                take(&Frame {
                    raw,
                    data: Data::Span(element - start..raw.len()),
                })?;
                start = at + 1;
                self.element = None;
                self.state = State::Between;
            }
        }
        self.held.drain(..start);
        self.seen -= start;
        self.element = self.element.map(|element| element - start);
        self.before += start;
        if self.held.len() > limits.event {
            return Err(Undecidable::new(Cause::TooMany, "", self.before).into());
        }
        Ok(())
    }

    pub(super) fn finish(
        &mut self,
        take: &mut dyn FnMut(&Frame<'_>) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        if self.state != State::Ended {
            return Err(Undecidable::new(Cause::Truncated, "", self.before).into());
        }
        let held = std::mem::take(&mut self.held);
        take(&Frame {
            raw: &held,
            data: Data::Nothing,
        })
    }

    fn between(&mut self, byte: u8, at: usize) -> Result<(), Undecidable> {
        self.state = match (self.state, byte) {
            (state, b' ' | b'\t' | b'\r' | b'\n') => state,
            (State::Start, b'[') => State::First,
            (State::Between, b',') => State::Another,
            (State::Between | State::First, b']') => State::Ended,
            // Only objects are elements of such a stream.
            (State::Another | State::First, b'{') => {
                self.element = Some(at);
                self.depth = 1;
                State::Between
            }
            (_, _) => return Err(Undecidable::new(Cause::Malformed, "", self.before + at)),
        };
        Ok(())
    }

    /// Whether the element that is open ends with this byte. What is in it is checked when it is read.
    fn ends(&mut self, byte: u8) -> bool {
        match (self.text, byte) {
            (Text::Escaped, _) => self.text = Text::Inside,
            (Text::Inside, b'\\') => self.text = Text::Escaped,
            (Text::Inside, b'"') => self.text = Text::Outside,
            (Text::Inside, _) => {}
            (Text::Outside, b'"') => self.text = Text::Inside,
            (Text::Outside, b'{' | b'[') => self.depth += 1,
            (Text::Outside, b'}' | b']') => self.depth -= 1,
            (Text::Outside, _) => {}
        }
        self.depth == 0
    }
}

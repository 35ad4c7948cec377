//! Text: one value from one end to the other, that may be a document after all.

use std::borrow::Cow;

use memchr::memchr;

use super::binary::Binary;
use super::desk::Desk;
use super::machine::Machine;
use super::spelling::Spelling;
use super::value::Value;
use crate::Sink;
use crate::Stop;

/// A text that is being read.
#[derive(Debug)]
pub(crate) struct Text {
    /// What is no UTF-8 is no text.
    strict: bool,
    /// The start of a character whose rest did not come yet.
    cut: Vec<u8>,
    state: State,
}

#[derive(Debug)]
enum State {
    Binary(Box<Binary>),
    Start,
    Text(Box<Value>),
}

impl Text {
    /// One that is said to be text, in whatever character set.
    pub(crate) fn said() -> Self {
        Self::new(false)
    }

    /// Of a type that nobody knows: text as long as it is UTF-8.
    pub(crate) fn guessed() -> Self {
        Self::new(true)
    }

    fn new(strict: bool) -> Self {
        Self {
            strict,
            cut: Vec::new(),
            state: State::Start,
        }
    }

    /// How much is text, and whether what follows is none; otherwise it is the start of a character.
    fn reach(&self, bytes: &[u8]) -> (usize, bool) {
        let zero = memchr(0, bytes);
        let end = zero.unwrap_or(bytes.len());
        let within = bytes.get(..end).unwrap_or_default();
        match std::str::from_utf8(within) {
            Err(error) if self.strict => {
                let none = error.error_len().is_some() || zero.is_some();
                (error.valid_up_to(), none)
            }
            Ok(_) | Err(_) => (end, zero.is_some()),
        }
    }

    fn give(
        &mut self,
        text: &[u8],
        desk: &mut Desk,
        sink: &mut dyn Sink,
    ) -> Result<Box<Value>, Stop> {
        let state = std::mem::replace(&mut self.state, State::Start);
        let mut value = match state {
            State::Text(value) => value,
            State::Binary(_) | State::Start => Value::open(Spelling::Plain, desk),
        };
        value.push(text, desk, sink)?;
        Ok(value)
    }
}

impl Machine for Text {
    fn push(&mut self, bytes: &[u8], desk: &mut Desk, sink: &mut dyn Sink) -> Result<(), Stop> {
        if let State::Binary(binary) = &mut self.state {
            return binary.push(bytes, desk, sink);
        }
        let bytes = match self.cut.is_empty() {
            true => Cow::Borrowed(bytes),
            false => Cow::Owned([&std::mem::take(&mut self.cut), bytes].concat()),
        };
        let (end, none) = self.reach(&bytes);
        let (text, rest) = bytes.split_at(end);
        let value = self.give(text, desk, sink)?;
        if none {
            value.close(desk, sink)?;
            let mut binary = Box::new(Binary::default());
            let pushed = binary.push(rest, desk, sink);
            self.state = State::Binary(binary);
            return pushed;
        }
        self.cut.extend_from_slice(rest);
        self.state = State::Text(value);
        Ok(())
    }

    fn lapse(&mut self, desk: &mut Desk, sink: &mut dyn Sink) -> Result<(), Stop> {
        match &mut self.state {
            State::Binary(binary) => binary.lapse(desk, sink),
            State::Text(value) => value.lapse(desk, sink),
            State::Start => Ok(()),
        }
    }

    fn finish(&mut self, desk: &mut Desk, sink: &mut dyn Sink) -> Result<(), Stop> {
        let cut = std::mem::take(&mut self.cut);
        match std::mem::replace(&mut self.state, State::Start) {
            State::Binary(mut binary) => binary.finish(desk, sink),
            State::Start => Ok(()),
            State::Text(mut value) => {
                value.push(&cut, desk, sink)?;
                value.close(desk, sink)
            }
        }
    }
}

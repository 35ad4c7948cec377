//! JSON, rewritten while it streams: one document, or many behind each other.
//!
//! Every string is looked at without its escapes and written as it was where nothing changed. What cannot be read in one
//! way only is undecidable; read loosely, within a text that may be none, the rest of it is text then.

mod key;
mod scalar;
mod text;

use std::collections::HashSet;

use super::desk::Desk;
use super::gone::Gone;
use super::utf8::Utf8;
use super::value::Value;
use crate::Sink;
use crate::Stop;

/// A document that is being read.
#[derive(Debug)]
pub(crate) struct Json {
    reading: Reading,
    state: State,
    open: Vec<Open>,
    /// How many names the objects have that are open.
    names: usize,
    /// Lists of hashes for objects to come.
    spare: Vec<Vec<u64>>,
    /// A key or a number that is not whole yet.
    held: Vec<u8>,
    /// How much of that went on.
    gone: Gone,
    /// The string that is being read, where it came in pieces or has escapes.
    value: Option<Box<Value>>,
    /// The last byte of a string was a backslash that begins an escape.
    escaped: bool,
    utf8: Utf8,
    /// Where the trail was before the document.
    base: usize,
    started: bool,
}

/// How what is no JSON is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// A text that is likely one document, and is text from where it is none.
    Loose,
    /// Documents behind each other.
    Many,
    /// One document.
    One,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Behind a value.
    After,
    /// Before the colon.
    Colon,
    /// Behind a document.
    Done,
    /// Before a key; `true` where the object may end instead.
    Key(bool),
    KeyText,
    Scalar,
    Text,
    /// Before a value; `true` where the array may end instead.
    Value(bool),
}

/// An array or object that has not ended.
#[derive(Debug)]
struct Open {
    object: bool,
    /// A hash of each of its names.
    few: Vec<u64>,
    /// The same, where they are many.
    many: Option<HashSet<u64>>,
}

/// What is being read of a chunk.
struct Cursor<'c> {
    bytes: &'c [u8],
    at: usize,
    /// From here to `at` all was read and stays.
    run: usize,
}

/// Why reading cannot go on.
enum Halt {
    /// What is at the cursor is no JSON.
    Broken(&'static str),
    Stop(Stop),
}

impl From<Stop> for Halt {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}

// === impl Json ===

impl Json {
    pub(crate) fn new(reading: Reading, desk: &mut Desk) -> Self {
        let base = desk.trail.depth();
        Self {
            reading,
            state: State::Value(false),
            open: Vec::new(),
            names: 0,
            spare: Vec::new(),
            held: Vec::new(),
            gone: Gone::default(),
            value: None,
            escaped: false,
            utf8: Utf8::default(),
            base,
            started: false,
        }
    }

    /// One within a text.
    pub(crate) fn inner(desk: &mut Desk) -> Self {
        Self::new(Reading::Loose, desk)
    }

    /// Rewrites what it is given. A loose one says from where on it is none.
    pub(crate) fn push(
        &mut self,
        bytes: &[u8],
        desk: &mut Desk,
        sink: &mut dyn Sink,
    ) -> Result<Option<usize>, Stop> {
        if self.reading != Reading::Loose && !self.utf8.push(bytes) {
            return Err(desk.undecidable("text that is not UTF-8"));
        }
        let mut cursor = Cursor {
            bytes,
            at: 0,
            run: 0,
        };
        let read = self.read(&mut cursor, desk, sink);
        match read {
            Ok(()) => {
                cursor.flush(sink);
                Ok(None)
            }
            Err(Halt::Stop(stop)) => Err(stop),
            Err(Halt::Broken(_)) if self.reading == Reading::Loose => {
                cursor.flush(sink);
                Ok(Some(cursor.at))
            }
            Err(Halt::Broken(cause)) => Err(desk.undecidable(cause)),
        }
    }

    /// No more comes.
    pub(crate) fn finish(&mut self, desk: &mut Desk, sink: &mut dyn Sink) -> Result<(), Stop> {
        if !self.utf8.ended() {
            return Err(desk.undecidable("text that is not UTF-8"));
        }
        if self.state == State::Scalar && self.open.is_empty() {
            let held = std::mem::take(&mut self.held);
            let mut gone = std::mem::take(&mut self.gone);
            let read = |desk: &mut Desk, sink: &mut dyn Sink| self.scalar_read(&held, desk, sink);
            match gone.rest(desk, sink, read) {
                Ok(()) => self.ended(),
                Err(Halt::Broken(cause)) => return Err(desk.undecidable(cause)),
                Err(Halt::Stop(stop)) => return Err(stop),
            }
        }
        desk.trail.back_to(self.base);
        match self.state {
            State::Done => Ok(()),
            State::Value(_) if !self.started => Ok(()),
            _ => Err(desk.undecidable("JSON that ends early")),
        }
    }

    /// What is being read has waited long enough.
    pub(crate) fn lapse(&mut self, desk: &mut Desk, sink: &mut dyn Sink) -> Result<(), Stop> {
        match (self.state, &mut self.value) {
            (State::KeyText, _) => self.lapse_key(desk, sink),
            (State::Scalar, _) => self.lapse_scalar(desk, sink),
            (_, Some(value)) => value.lapse(desk, sink),
            (_, None) => Ok(()),
        }
    }

    /// A loose one goes on as text; what was held of it is that text's start, of which so much went on.
    pub(crate) fn give_up(&mut self, desk: &mut Desk) -> (Vec<u8>, usize) {
        desk.trail.back_to(self.base);
        if !self.open.is_empty() {
            desk.leave();
        }
        let gone = std::mem::take(&mut self.gone).so_much();
        (std::mem::take(&mut self.held), gone)
    }

    /// The text that a loose one stands in has ended; says what was held of it.
    pub(crate) fn end_loosely(
        &mut self,
        desk: &mut Desk,
        sink: &mut dyn Sink,
    ) -> Result<(Vec<u8>, usize), Stop> {
        if let Some(value) = self.value.take() {
            value.close(desk, sink)?;
        }
        Ok(self.give_up(desk))
    }

    fn read(
        &mut self,
        cursor: &mut Cursor<'_>,
        desk: &mut Desk,
        sink: &mut dyn Sink,
    ) -> Result<(), Halt> {
        while cursor.at < cursor.bytes.len() {
            match self.state {
                State::KeyText => self.key_text(cursor, desk, sink)?,
                State::Scalar => self.scalar(cursor, desk, sink)?,
                State::Text => self.text(cursor, desk, sink)?,
                State::After | State::Colon | State::Done | State::Key(_) | State::Value(_) => {
                    self.structure(cursor, desk, sink)?;
                }
            }
        }
        Ok(())
    }

    /// One byte between values.
    fn structure(
        &mut self,
        cursor: &mut Cursor<'_>,
        desk: &mut Desk,
        sink: &mut dyn Sink,
    ) -> Result<(), Halt> {
        let Some(&byte) = cursor.bytes.get(cursor.at) else {
            return Ok(());
        };
        match (self.state, byte) {
            (_, b' ' | b'\n' | b'\r' | b'\t') => {}
            (State::Value(_), b'"') => self.state = State::Text,
            (State::Value(_), b'{') => self.enter(true, desk)?,
            (State::Value(_), b'[') => self.enter(false, desk)?,
            (State::Value(true), b']') => self.leave(false, desk)?,
            (State::Value(_), b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => {
                cursor.flush(sink);
                self.state = State::Scalar;
                self.started = true;
                return Ok(());
            }
            (State::Key(_), b'"') => {
                cursor.at += 1;
                cursor.flush(sink);
                self.state = State::KeyText;
                return Ok(());
            }
            (State::Key(true), b'}') => self.leave(true, desk)?,
            (State::Colon, b':') => self.state = State::Value(false),
            (State::After, b',') => self.next(desk),
            (State::After, b']') => self.leave(false, desk)?,
            (State::After, b'}') => {
                desk.trail.leave();
                self.leave(true, desk)?;
            }
            (State::Done, _) => return self.again(byte),
            (State::Value(_), 0x1e) if self.between() => {}
            (State::Value(_), 0xef | 0xbb | 0xbf) if self.mark() => {}
            _ => return Err(Halt::Broken("JSON that is malformed")),
        }
        self.started |= self.state == State::Text || !self.open.is_empty();
        cursor.at += 1;
        Ok(())
    }

    /// Before the first byte of a document, where some write a separator.
    fn between(&self) -> bool {
        self.reading == Reading::Many && self.open.is_empty()
    }

    /// A byte order mark, which UTF-8 was read with already.
    fn mark(&self) -> bool {
        self.reading != Reading::Loose && !self.started && self.open.is_empty()
    }

    /// Another document begins.
    fn again(&mut self, byte: u8) -> Result<(), Halt> {
        let begins = match self.reading {
            Reading::Many => true,
            Reading::Loose => matches!(byte, b'{' | b'['),
            Reading::One => false,
        };
        if !begins {
            return Err(Halt::Broken("bytes behind a JSON document"));
        }
        self.state = State::Value(false);
        Ok(())
    }

    fn enter(&mut self, object: bool, desk: &mut Desk) -> Result<(), Halt> {
        if self.open.len() >= desk.limits.depth {
            return Err(Halt::Broken("JSON that is nested too deep"));
        }
        self.open.push(Open {
            object,
            few: self.spare.pop().unwrap_or_default(),
            many: None,
        });
        desk.enter();
        if object {
            self.state = State::Key(true);
        } else {
            desk.trail.index(0);
            self.state = State::Value(true);
        }
        Ok(())
    }

    fn next(&mut self, desk: &mut Desk) {
        if self.open.last().is_some_and(|open| open.object) {
            desk.trail.leave();
            self.state = State::Key(false);
        } else {
            desk.trail.next();
            self.state = State::Value(false);
        }
    }

    fn leave(&mut self, object: bool, desk: &mut Desk) -> Result<(), Halt> {
        match self.open.pop() {
            Some(mut open) if open.object == object => {
                self.names -= open.many.map_or(open.few.len(), |many| many.len());
                open.few.clear();
                self.spare.push(open.few);
            }
            Some(_) | None => return Err(Halt::Broken("JSON with crossed brackets")),
        }
        if !object {
            desk.trail.leave();
        }
        desk.leave();
        self.ended();
        Ok(())
    }

    /// A value has ended.
    fn ended(&mut self) {
        self.state = if self.open.is_empty() {
            State::Done
        } else {
            State::After
        };
    }
}

// === impl Cursor ===

impl<'c> Cursor<'c> {
    /// What is not read yet.
    fn rest(&self) -> &'c [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// Gives out what was read and stays.
    fn flush(&mut self, sink: &mut dyn Sink) {
        if self.run < self.at {
            sink.keep(self.bytes.get(self.run..self.at).unwrap_or_default());
        }
        self.run = self.at;
    }

    /// What is read of it has been given out.
    fn given(&mut self, length: usize) {
        self.at += length;
        self.run = self.at;
    }
}

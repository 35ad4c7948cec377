//! One value of a body: read without its escapes, looked at, and written with them again.

use super::desk::{Desk, PIECE};
use super::inner::{self, Inner};
use super::spelled::{Respell, Spelled};
use super::spelling::{Spelling, Unit};
use crate::Sink;
use crate::Stop;

/// So much text is read before it is looked at.
const SLAB: usize = 4096;

/// Longer values are read slab by slab, also where they are there as a whole.
const WHOLE: usize = 16 * 1024;

/// The longest way to write one character.
const LONGEST: usize = 16;

/// A value that is there from one end to the other.
pub(crate) fn whole(
    raw: &[u8],
    spelling: Spelling,
    desk: &mut Desk,
    sink: &mut dyn Sink,
) -> Result<(), Stop> {
    let mut spelled = Spelled::default();
    let text = match raw.len() <= WHOLE && !spelling.wrong(raw) {
        true => Some(spelling.read(raw, &mut spelled)).filter(|text| inner::plain(text)),
        false => None,
    };
    let Some(text) = text else {
        let mut value = Value::open(spelling, desk);
        value.push(raw, desk, sink)?;
        return value.close(desk, sink);
    };
    let Some(pieces) = desk.judge(&text)? else {
        sink.keep(raw);
        return Ok(());
    };
    let mut respell = Respell {
        spelling,
        spelled: &mut spelled,
        down: sink,
    };
    pieces.give(&text, &mut respell);
    Ok(())
}

/// A value that is being read.
#[derive(Debug)]
pub(crate) struct Value {
    spelling: Spelling,
    inner: Inner,
    spelled: Spelled,
    /// The start of an escape that is not whole yet.
    cut: Vec<u8>,
    slab: Vec<u8>,
    /// Its text as far as it may be a piece of something, and how much had been found before.
    piece: Vec<u8>,
    found: usize,
}

impl Value {
    /// At the place where the desk's trail is.
    pub(crate) fn open(spelling: Spelling, desk: &mut Desk) -> Box<Self> {
        let mut value = desk.spare_value().unwrap_or_else(|| {
            Box::new(Self {
                spelling,
                inner: Inner::default(),
                spelled: Spelled::default(),
                cut: Vec::new(),
                slab: Vec::new(),
                piece: Vec::new(),
                found: 0,
            })
        });
        value.spelling = spelling;
        value.inner = Inner::default();
        value.spelled.clear();
        value.cut.clear();
        value.piece.clear();
        value.found = desk.count();
        value
    }

    pub(crate) fn push(
        &mut self,
        mut raw: &[u8],
        desk: &mut Desk,
        sink: &mut dyn Sink,
    ) -> Result<(), Stop> {
        while !self.cut.is_empty() {
            let Some((first, rest)) = raw.split_first() else {
                return Ok(());
            };
            self.cut.push(*first);
            raw = rest;
            self.mend(false, desk, sink)?;
        }
        while !raw.is_empty() {
            let used = self.slab(raw, desk, sink)?;
            raw = raw.get(used..).unwrap_or_default();
        }
        Ok(())
    }

    /// More text, written as these bytes.
    pub(crate) fn joint(
        &mut self,
        raw: &[u8],
        text: &[u8],
        desk: &mut Desk,
        sink: &mut dyn Sink,
    ) -> Result<(), Stop> {
        self.spelled
            .escape(raw, u8::try_from(text.len()).unwrap_or(u8::MAX));
        self.give(text, desk, sink)
    }

    /// What is held of it has waited long enough; the start of an escape goes on waiting.
    pub(crate) fn lapse(&mut self, desk: &mut Desk, sink: &mut dyn Sink) -> Result<(), Stop> {
        let mut respell = Respell {
            spelling: self.spelling,
            spelled: &mut self.spelled,
            down: sink,
        };
        self.inner.lapse(desk, &mut respell)
    }

    /// The value has ended.
    pub(crate) fn close(
        mut self: Box<Self>,
        desk: &mut Desk,
        sink: &mut dyn Sink,
    ) -> Result<(), Stop> {
        while !self.cut.is_empty() {
            self.mend(true, desk, sink)?;
        }
        let mut respell = Respell {
            spelling: self.spelling,
            spelled: &mut self.spelled,
            down: sink,
        };
        let text = !matches!(self.inner, Inner::Json(_));
        self.inner.finish(desk, &mut respell)?;
        if text && desk.count() == self.found {
            desk.join(&self.piece)?;
        }
        desk.keep_value(self);
        Ok(())
    }

    /// Reads on where an escape was cut.
    fn mend(&mut self, last: bool, desk: &mut Desk, sink: &mut dyn Sink) -> Result<(), Stop> {
        let mut cut = std::mem::take(&mut self.cut);
        let used = match self.spelling.unit(&cut, last) {
            Unit::Cut if cut.len() < LONGEST => 0,
            Unit::Cut | Unit::Itself => {
                self.spelled.itself(1);
                self.give(cut.get(..1).unwrap_or_default(), desk, sink)?;
                1
            }
            Unit::Escape { raw, text, length } => {
                self.spelled.escape(
                    cut.get(..raw).unwrap_or_default(),
                    u8::try_from(length).unwrap_or(0),
                );
                self.give(text.get(..length).unwrap_or_default(), desk, sink)?;
                raw
            }
            Unit::Wrong => return Err(desk.undecidable("escape")),
        };
        cut.drain(..used);
        // What stands behind it is itself, as far as it is no escape again.
        let plain = self.spelling.plain(&cut);
        if used > 0 && plain > 0 {
            self.spelled.itself(plain);
            self.give(cut.get(..plain).unwrap_or_default(), desk, sink)?;
            cut.drain(..plain);
        }
        self.cut = cut;
        Ok(())
    }

    /// Reads as much as makes a slab, and says how much that was.
    fn slab(&mut self, raw: &[u8], desk: &mut Desk, sink: &mut dyn Sink) -> Result<usize, Stop> {
        let plain = self.spelling.plain(raw);
        if plain > 0 {
            let text = raw.get(..plain).unwrap_or_default();
            if plain == raw.len() || plain >= SLAB {
                self.spelled.itself(plain);
                self.give(text, desk, sink)?;
                return Ok(plain);
            }
        }
        let mut slab = std::mem::take(&mut self.slab);
        slab.clear();
        let mut at = 0;
        while at < raw.len() && slab.len() < SLAB && self.cut.is_empty() {
            at += self.unit(raw.get(at..).unwrap_or_default(), &mut slab, desk)?;
        }
        let given = self.give(&slab, desk, sink);
        self.slab = slab;
        given.map(|()| at)
    }

    /// Adds what stands at the start of `raw`.
    fn unit(&mut self, raw: &[u8], slab: &mut Vec<u8>, desk: &Desk) -> Result<usize, Stop> {
        let plain = self.spelling.plain(raw).min(SLAB);
        if plain > 0 {
            self.spelled.itself(plain);
            slab.extend_from_slice(raw.get(..plain).unwrap_or_default());
            return Ok(plain);
        }
        match self.spelling.unit(raw, false) {
            Unit::Cut => {
                self.cut.extend_from_slice(raw);
                Ok(raw.len())
            }
            Unit::Escape {
                raw: used,
                text,
                length,
            } => {
                self.spelled.escape(
                    raw.get(..used).unwrap_or_default(),
                    u8::try_from(length).unwrap_or(0),
                );
                slab.extend_from_slice(text.get(..length).unwrap_or_default());
                Ok(used)
            }
            Unit::Itself => {
                self.spelled.itself(1);
                slab.extend_from_slice(raw.get(..1).unwrap_or_default());
                Ok(1)
            }
            Unit::Wrong => Err(desk.undecidable("escape")),
        }
    }

    fn give(&mut self, text: &[u8], desk: &mut Desk, sink: &mut dyn Sink) -> Result<(), Stop> {
        if self.piece.len() <= PIECE {
            let room = PIECE + 1 - self.piece.len();
            self.piece
                .extend_from_slice(text.get(..room).unwrap_or(text));
        }
        let mut respell = Respell {
            spelling: self.spelling,
            spelled: &mut self.spelled,
            down: sink,
        };
        self.inner.push(text, desk, &mut respell)?;
        desk.bounded(self.spelled.held())
    }
}

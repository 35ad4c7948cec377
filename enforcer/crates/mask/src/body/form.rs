//! `application/x-www-form-urlencoded`, and queries: names and values, each without its escapes.

use memchr::{memchr, memchr2};

use super::desk::Desk;
use super::gone::Gone;
use super::machine::Machine;
use super::spelled::{Respell, Spelled};
use super::spelling::Spelling;
use super::value::{self, Value};
use crate::Sink;
use crate::Stop;

/// No name is longer.
const LONGEST: usize = 4096;

/// A form that is being read.
#[derive(Debug, Default)]
pub(crate) struct Form {
    /// A name that is not whole yet.
    name: Vec<u8>,
    /// How much of it went on.
    gone: Gone,
    /// Behind a name's `=`.
    valued: bool,
    value: Option<Box<Value>>,
    /// Where the trail was before the form.
    base: Option<usize>,
}

impl Machine for Form {
    fn push(&mut self, mut bytes: &[u8], desk: &mut Desk, sink: &mut dyn Sink) -> Result<(), Stop> {
        self.base.get_or_insert(desk.trail.depth());
        while !bytes.is_empty() {
            let used = match self.valued {
                true => self.value(bytes, desk, sink)?,
                false => self.name(bytes, desk, sink)?,
            };
            bytes = bytes.get(used..).unwrap_or_default();
        }
        Ok(())
    }

    fn finish(&mut self, desk: &mut Desk, sink: &mut dyn Sink) -> Result<(), Stop> {
        if let Some(value) = self.value.take() {
            value.close(desk, sink)?;
        }
        self.named(desk, sink)?;
        self.back(desk);
        Ok(())
    }

    fn lapse(&mut self, desk: &mut Desk, sink: &mut dyn Sink) -> Result<(), Stop> {
        if let Some(value) = &mut self.value {
            return value.lapse(desk, sink);
        }
        if self.name.is_empty() {
            return Ok(());
        }
        let name = Spelling::Form.read(&self.name, &mut Spelled::default());
        desk.trail.name();
        let lapsed = self.gone.lapse((&self.name, &name), desk, sink);
        desk.trail.leave();
        lapsed
    }
}

impl Form {
    fn back(&self, desk: &mut Desk) {
        desk.trail.back_to(self.base.unwrap_or_default());
    }

    fn name(&mut self, bytes: &[u8], desk: &mut Desk, sink: &mut dyn Sink) -> Result<usize, Stop> {
        let end = memchr2(b'=', b'&', bytes);
        let piece = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default();
        if self.name.len() + piece.len() > LONGEST {
            return Err(desk.undecidable("the name of a field that is too long"));
        }
        self.name.extend_from_slice(piece);
        let Some(end) = end else {
            return Ok(bytes.len());
        };
        self.named(desk, sink)?;
        sink.keep(bytes.get(end..=end).unwrap_or_default());
        if bytes.get(end) == Some(&b'=') {
            self.valued = true;
        } else {
            self.back(desk);
        }
        Ok(end + 1)
    }

    /// Goes from a name that is whole to its value.
    fn named(&mut self, desk: &mut Desk, sink: &mut dyn Sink) -> Result<(), Stop> {
        let raw = std::mem::take(&mut self.name);
        if raw.is_empty() {
            return Ok(());
        }
        let mut gone = std::mem::take(&mut self.gone);
        gone.rest(desk, sink, |desk, sink| looked_at(&raw, desk, sink))
    }

    fn value(&mut self, bytes: &[u8], desk: &mut Desk, sink: &mut dyn Sink) -> Result<usize, Stop> {
        let end = memchr(b'&', bytes);
        let piece = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default();
        match (self.value.take(), end) {
            (None, Some(_)) => value::whole(piece, Spelling::Form, desk, sink)?,
            (open, end) => {
                let mut value = open.unwrap_or_else(|| Value::open(Spelling::Form, desk));
                value.push(piece, desk, sink)?;
                match end {
                    None => self.value = Some(value),
                    Some(_) => value.close(desk, sink)?,
                }
            }
        }
        let Some(end) = end else {
            return Ok(bytes.len());
        };
        self.valued = false;
        self.back(desk);
        sink.keep(b"&");
        Ok(end + 1)
    }
}

/// Looks at a name, and enters it.
fn looked_at(raw: &[u8], desk: &mut Desk, sink: &mut dyn Sink) -> Result<(), Stop> {
    let mut spelled = Spelled::default();
    let name = Spelling::Form.read(raw, &mut spelled);
    desk.trail.name();
    let looked = desk.judge(&name);
    desk.trail.leave();
    let Some(pieces) = looked? else {
        sink.keep(raw);
        enter(&String::from_utf8_lossy(&name), desk);
        return Ok(());
    };
    let mut respell = Respell {
        spelling: Spelling::Form,
        spelled: &mut spelled,
        down: sink,
    };
    pieces.give(&name, &mut respell);
    enter(&String::from_utf8_lossy(&pieces.text(&name)), desk);
    Ok(())
}

/// `card[number]` is the field `number` of `card`.
fn enter(name: &str, desk: &mut Desk) {
    for part in name.split('[') {
        let part = part.strip_suffix(']').unwrap_or(part);
        if !part.is_empty() {
            desk.trail.enter(part);
        }
    }
}

//! XML: texts and attributes, each without its references; the element's or attribute's name is the field.

mod tag;

use memchr::{memchr, memmem};

use self::tag::Tag;
use super::desk::Desk;
use super::gone::Gone;
use super::machine::Machine;
use super::spelled::Spelled;
use super::spelling::Spelling;
use super::value::{self, Value};
use crate::Sink;
use crate::Stop;

/// No tag is longer, with all its attributes.
const TAG: usize = 16 * 1024;

/// A document that is being read.
#[derive(Debug, Default)]
pub(crate) struct Xml {
    state: State,
    /// Markup that is not whole yet, or the start of a section's end.
    held: Vec<u8>,
    /// How much of markup went on.
    gone: Gone,
    /// How much of a tag was searched for its end, and the quote that it stopped in.
    searched: (usize, Option<u8>),
    value: Option<Box<Value>>,
    /// How many elements are open.
    open: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// `<` was seen, and not what it begins.
    Markup,
    /// A comment, or characters as they are, up to this.
    Section(&'static [u8]),
    #[default]
    Text,
}

impl Machine for Xml {
    fn push(&mut self, mut bytes: &[u8], desk: &mut Desk, sink: &mut dyn Sink) -> Result<(), Stop> {
        while !bytes.is_empty() {
            let used = match self.state {
                State::Markup => self.markup(bytes, desk, sink)?,
                State::Section(end) => self.section(end, bytes, desk, sink)?,
                State::Text => self.text(bytes, desk, sink)?,
            };
            bytes = bytes.get(used..).unwrap_or_default();
        }
        Ok(())
    }

    fn finish(&mut self, desk: &mut Desk, sink: &mut dyn Sink) -> Result<(), Stop> {
        if self.state != State::Text || self.open > 0 {
            return Err(desk.undecidable("XML that ends early"));
        }
        self.close(desk, sink)
    }

    fn lapse(&mut self, desk: &mut Desk, sink: &mut dyn Sink) -> Result<(), Stop> {
        match (self.state, &mut self.value) {
            // A part of an attribute does not tell whether all of it is masked.
            (State::Markup, _) if desk.names_field() => Ok(()),
            (State::Markup, _) => {
                let text = Spelling::Markup.read(&self.held, &mut Spelled::default());
                desk.trail.name();
                let lapsed = self.gone.lapse((&self.held, &text), desk, sink);
                desk.trail.leave();
                lapsed
            }
            (State::Section(_) | State::Text, Some(value)) => value.lapse(desk, sink),
            (State::Section(_) | State::Text, None) => Ok(()),
        }
    }
}

impl Xml {
    fn close(&mut self, desk: &mut Desk, sink: &mut dyn Sink) -> Result<(), Stop> {
        match self.value.take() {
            Some(value) => value.close(desk, sink),
            None => Ok(()),
        }
    }

    fn text(&mut self, bytes: &[u8], desk: &mut Desk, sink: &mut dyn Sink) -> Result<usize, Stop> {
        let end = memchr(b'<', bytes);
        let text = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default();
        let solid = match self.value {
            Some(_) => text,
            None => text.trim_ascii_start(),
        };
        let (blank, solid) = text.split_at(text.len() - solid.len());
        sink.keep(blank);
        match (end, &self.value) {
            _ if solid.is_empty() => {}
            (Some(_), None) => value::whole(solid, Spelling::Markup, desk, sink)?,
            _ => self.more(solid, Spelling::Markup, desk, sink)?,
        }
        let Some(end) = end else {
            return Ok(bytes.len());
        };
        self.close(desk, sink)?;
        self.state = State::Markup;
        Ok(end)
    }

    /// More of a text, in the field of the innermost element.
    fn more(
        &mut self,
        text: &[u8],
        spelling: Spelling,
        desk: &mut Desk,
        sink: &mut dyn Sink,
    ) -> Result<(), Stop> {
        let mut value = match self.value.take() {
            Some(value) => value,
            None => Value::open(spelling, desk),
        };
        value.push(text, desk, sink)?;
        self.value = Some(value);
        Ok(())
    }

    /// A comment or the like, which ends with `end`.
    fn section(
        &mut self,
        end: &'static [u8],
        bytes: &[u8],
        desk: &mut Desk,
        sink: &mut dyn Sink,
    ) -> Result<usize, Stop> {
        let before = self.held.len();
        self.held.extend_from_slice(bytes);
        let held = std::mem::take(&mut self.held);
        if let Some(found) = memmem::find(&held, end) {
            self.more(
                held.get(..found).unwrap_or_default(),
                Spelling::Plain,
                desk,
                sink,
            )?;
            self.close(desk, sink)?;
            sink.keep(end);
            self.state = State::Text;
            return Ok((found + end.len()).saturating_sub(before));
        }
        // What may be the end's start waits.
        let keep = (1..end.len())
            .rev()
            .find(|length| held.ends_with(end.get(..*length).unwrap_or_default()))
            .unwrap_or(0);
        let (text, rest) = held.split_at(held.len() - keep);
        self.more(text, Spelling::Plain, desk, sink)?;
        self.held.extend_from_slice(rest);
        Ok(bytes.len())
    }

    /// What stands between angle brackets.
    fn markup(
        &mut self,
        bytes: &[u8],
        desk: &mut Desk,
        sink: &mut dyn Sink,
    ) -> Result<usize, Stop> {
        for (at, byte) in bytes.iter().enumerate() {
            self.held.push(*byte);
            if let Some(end) = section(&self.held) {
                let held = std::mem::take(&mut self.held);
                self.searched = (0, None);
                self.state = State::Section(end);
                self.gone.rest(desk, sink, |_, sink| {
                    sink.keep(&held);
                    Ok::<_, Stop>(())
                })?;
                return Ok(at + 1);
            }
            if self.ends(*byte) {
                let held = std::mem::take(&mut self.held);
                self.searched = (0, None);
                self.state = State::Text;
                let mut gone = std::mem::take(&mut self.gone);
                gone.rest(desk, sink, |desk, sink| self.tag(&held, desk, sink))?;
                return Ok(at + 1);
            }
            if self.held.len() > TAG {
                return Err(desk.undecidable("an XML tag that is too long"));
            }
        }
        Ok(bytes.len())
    }

    /// Whether the byte that was held last ends the tag.
    fn ends(&mut self, byte: u8) -> bool {
        let quote = &mut self.searched.1;
        match (*quote, byte) {
            (None, b'"' | b'\'') => *quote = Some(byte),
            (Some(open), byte) if open == byte => *quote = None,
            (None, b'>') => return true,
            _ => {}
        }
        false
    }

    fn tag(&mut self, raw: &[u8], desk: &mut Desk, sink: &mut dyn Sink) -> Result<(), Stop> {
        let Some(tag) = Tag::read(raw) else {
            return Err(desk.undecidable("XML that is malformed"));
        };
        match tag {
            Tag::Declaration { fits: false } => {
                Err(desk.undecidable("XML with entities or characters of its own"))
            }
            Tag::Declaration { fits: true } => tag::attributes(raw, desk, sink),
            Tag::End(name) => {
                let known = self.open > 0 && desk.trail.field() == Some(&*name);
                if !known {
                    return Err(desk.undecidable("XML with crossed tags"));
                }
                self.open -= 1;
                desk.leave();
                desk.trail.leave();
                sink.keep(raw);
                Ok(())
            }
            Tag::Start { name, empty } => {
                if self.open >= desk.limits.depth {
                    return Err(desk.undecidable("XML that is nested too deep"));
                }
                desk.trail.enter(&name);
                tag::attributes(raw, desk, sink)?;
                if empty {
                    desk.trail.leave();
                } else {
                    desk.enter();
                    self.open += 1;
                }
                Ok(())
            }
        }
    }
}

/// What a section ends with that begins so.
fn section(held: &[u8]) -> Option<&'static [u8]> {
    match held {
        b"<!--" => Some(b"-->"),
        b"<![CDATA[" => Some(b"]]>"),
        _ => None,
    }
}

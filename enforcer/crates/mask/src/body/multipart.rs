//! `multipart/form-data` and its like: each part read by its own type, its name the field.
//!
//! Where some readers would cut and others would not is undecidable: a boundary behind a bare line feed, one that goes on.

mod head;

use memchr::memmem;

use self::head::Head;
use super::desk::Desk;
use super::kind::Kind;
use super::machine::Machine;
use super::text::Text;
use crate::{Sink, Stop};

/// The head of a part is no longer.
const HEAD: usize = 16 * 1024;

/// Blanks behind a boundary.
const BLANKS: usize = 64;

/// Parts that are being read.
#[derive(Debug)]
pub(crate) struct Multipart {
    /// A line feed, two dashes and the boundary.
    mark: Vec<u8>,
    state: State,
    /// What does not tell yet what it is.
    held: Vec<u8>,
    machine: Option<Box<dyn Machine>>,
    parts: usize,
    /// The part has parts itself.
    nested: bool,
    /// Where the trail was before the part.
    base: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Behind a boundary.
    Behind,
    /// In a part, or before the first, whose boundary needs no line before it.
    Content,
    /// Behind the last boundary.
    End,
    Head,
    Start,
}

impl Machine for Multipart {
    fn push(&mut self, bytes: &[u8], desk: &mut Desk, sink: &mut dyn Sink) -> Result<(), Stop> {
        let mut all = std::mem::take(&mut self.held);
        all.extend_from_slice(bytes);
        let mut at = 0;
        while let Some(used) = self.step(all.get(at..).unwrap_or_default(), desk, sink)? {
            at += used;
        }
        self.held
            .extend_from_slice(all.get(at..).unwrap_or_default());
        Ok(())
    }

    fn finish(&mut self, desk: &mut Desk, sink: &mut dyn Sink) -> Result<(), Stop> {
        match self.state {
            State::End => self.over(desk, sink),
            State::Start if self.held.is_empty() => Ok(()),
            State::Start | State::Behind | State::Content | State::Head => {
                Err(desk.undecidable("parts without an end"))
            }
        }
    }

    fn lapse(&mut self, desk: &mut Desk, sink: &mut dyn Sink) -> Result<(), Stop> {
        match &mut self.machine {
            Some(machine) => machine.lapse(desk, sink),
            None => Ok(()),
        }
    }
}

impl Multipart {
    pub(crate) fn new(boundary: &str) -> Self {
        Self {
            mark: format!("\n--{boundary}").into_bytes(),
            state: State::Start,
            held: Vec::new(),
            machine: None,
            parts: 0,
            nested: false,
            base: 0,
        }
    }

    /// Reads on, and says how much that took; nothing where more is needed.
    fn step(
        &mut self,
        rest: &[u8],
        desk: &mut Desk,
        sink: &mut dyn Sink,
    ) -> Result<Option<usize>, Stop> {
        if rest.is_empty() {
            return Ok(None);
        }
        match self.state {
            State::Behind => self.behind(rest, desk, sink),
            State::Content => self.content(rest, desk, sink),
            State::End => {
                self.give(rest, desk, sink)?;
                Ok(Some(rest.len()))
            }
            State::Head => self.head(rest, desk, sink),
            State::Start => Ok(self.start(rest, desk, sink)),
        }
    }

    /// The first boundary needs no line before it.
    fn start(&mut self, rest: &[u8], desk: &Desk, sink: &mut dyn Sink) -> Option<usize> {
        let mark = self.mark.get(1..).unwrap_or_default();
        self.base = desk.trail.depth();
        if rest.starts_with(mark) {
            sink.keep(mark);
            self.state = State::Behind;
            return Some(mark.len());
        }
        if mark.starts_with(rest) {
            return None;
        }
        self.machine = Some(Box::new(Text::said()));
        self.state = State::Content;
        Some(0)
    }

    fn content(
        &mut self,
        rest: &[u8],
        desk: &mut Desk,
        sink: &mut dyn Sink,
    ) -> Result<Option<usize>, Stop> {
        let Some(found) = memmem::find(rest, &self.mark) else {
            let free = rest.len() - self.cut(rest);
            self.give(rest.get(..free).unwrap_or_default(), desk, sink)?;
            return Ok((free > 0).then_some(free));
        };
        let text = rest.get(..found).unwrap_or_default();
        let Some(text) = text.strip_suffix(b"\r") else {
            return Err(desk.undecidable("a boundary behind a bare line feed"));
        };
        self.give(text, desk, sink)?;
        self.over(desk, sink)?;
        sink.keep(b"\r");
        sink.keep(&self.mark);
        self.state = State::Behind;
        Ok(Some(found + self.mark.len()))
    }

    /// How much of the end may be the start of a boundary.
    fn cut(&self, rest: &[u8]) -> usize {
        let last = rest.iter().rev().take(self.mark.len());
        let Some(back) = last.clone().position(|byte| *byte == b'\n') else {
            return usize::from(rest.ends_with(b"\r"));
        };
        let (before, line) = rest.split_at(rest.len() - back - 1);
        match self.mark.starts_with(line) {
            true => line.len() + usize::from(before.ends_with(b"\r")),
            false => usize::from(rest.ends_with(b"\r")),
        }
    }

    fn behind(
        &mut self,
        rest: &[u8],
        desk: &mut Desk,
        sink: &mut dyn Sink,
    ) -> Result<Option<usize>, Stop> {
        if rest.starts_with(b"--") {
            sink.keep(b"--");
            self.machine = Some(Box::new(Text::said()));
            self.state = State::End;
            return Ok(Some(2));
        }
        let blanks = rest
            .iter()
            .take_while(|byte| matches!(byte, b' ' | b'\t'))
            .count();
        match rest.get(blanks..).unwrap_or_default() {
            [b'\r', b'\n', ..] if blanks <= BLANKS => {
                let used = blanks + 2;
                sink.keep(rest.get(..used).unwrap_or_default());
                self.state = State::Head;
                Ok(Some(used))
            }
            [] | [b'\r'] if blanks <= BLANKS => Ok(None),
            [b'-'] if blanks == 0 => Ok(None),
            _ => Err(desk.undecidable("a boundary that goes on")),
        }
    }

    fn head(
        &mut self,
        rest: &[u8],
        desk: &mut Desk,
        sink: &mut dyn Sink,
    ) -> Result<Option<usize>, Stop> {
        let end = match rest.starts_with(b"\r\n") {
            true => Some(0),
            false => memmem::find(rest, b"\r\n\r\n").map(|end| end + 2),
        };
        let Some(end) = end else {
            if rest.len() > HEAD {
                return Err(desk.undecidable("the head of a part that is too long"));
            }
            return Ok(None);
        };
        self.parts += 1;
        if self.parts > desk.limits.parts {
            return Err(desk.undecidable("too many parts"));
        }
        let head = Head::read(rest.get(..end).unwrap_or_default(), desk, sink)?;
        sink.keep(b"\r\n");
        if !head.name.is_empty() {
            desk.trail.enter(&head.name);
        }
        self.machine = Some(self.part(&head, desk)?);
        self.state = State::Content;
        Ok(Some(end + 2))
    }

    /// What reads a part.
    fn part(&mut self, head: &Head, desk: &mut Desk) -> Result<Box<dyn Machine>, Stop> {
        let kind = match &head.media_type {
            Some(media_type) => Kind::of(Some(media_type)),
            None if head.file => Kind::Unknown,
            None => Kind::Text,
        };
        if matches!(kind, Kind::Multipart(_)) {
            if !desk.may_nest() {
                return Err(desk.undecidable("parts that are nested too deep"));
            }
            desk.nest();
            self.nested = true;
        }
        Ok(super::machine(kind, desk))
    }

    fn give(&mut self, content: &[u8], desk: &mut Desk, sink: &mut dyn Sink) -> Result<(), Stop> {
        match &mut self.machine {
            Some(machine) if !content.is_empty() => machine.push(content, desk, sink),
            Some(_) | None => Ok(()),
        }
    }

    /// The part has ended.
    fn over(&mut self, desk: &mut Desk, sink: &mut dyn Sink) -> Result<(), Stop> {
        if let Some(mut machine) = self.machine.take() {
            machine.finish(desk, sink)?;
        }
        if std::mem::take(&mut self.nested) {
            desk.unnest();
        }
        desk.trail.back_to(self.base);
        Ok(())
    }
}

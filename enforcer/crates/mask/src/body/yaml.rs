//! YAML, line by line: what stands behind a key is its value, with the lines that go on behind it.
//!
//! Nothing is resolved: anchors, tags, and mappings on one line are text like any other.

mod line;
mod scalar;

use memchr::memchr;

use self::line::{Line, closing};
use self::scalar::{Scalar, Style};
use super::desk::Desk;
use super::machine::Machine;
use super::spelling::Spelling;
use super::value::{self, Value};
use crate::Sink;
use crate::Stop;

/// A longer line is told by its start.
const LINE: usize = 4096;

/// A document that is being read.
#[derive(Debug, Default)]
pub(crate) struct Yaml {
    /// A line that is not whole yet.
    line: Vec<u8>,
    /// The rest of a long line comes.
    long: bool,
    /// The end of the line before, which is the value's only if it goes on.
    end: Vec<u8>,
    value: Option<Box<Value>>,
    style: Style,
    /// Where the trail was before the document.
    base: Option<usize>,
}

impl Machine for Yaml {
    fn push(&mut self, mut bytes: &[u8], desk: &mut Desk, sink: &mut dyn Sink) -> Result<(), Stop> {
        self.base.get_or_insert(desk.trail.depth());
        while !bytes.is_empty() {
            let room = LINE - self.line.len();
            let end = memchr(b'\n', bytes).map_or(bytes.len(), |end| end + 1);
            let (piece, rest) = bytes.split_at(end.min(room));
            self.line.extend_from_slice(piece);
            bytes = rest;
            if piece.ends_with(b"\n") || self.line.len() == LINE {
                let line = std::mem::take(&mut self.line);
                self.piece(&line, desk, sink)?;
            }
        }
        Ok(())
    }

    fn finish(&mut self, desk: &mut Desk, sink: &mut dyn Sink) -> Result<(), Stop> {
        let line = std::mem::take(&mut self.line);
        if !line.is_empty() {
            self.piece(&line, desk, sink)?;
        }
        self.close(desk, sink)?;
        desk.trail.back_to(self.base.unwrap_or_default());
        Ok(())
    }

    fn lapse(&mut self, desk: &mut Desk, sink: &mut dyn Sink) -> Result<(), Stop> {
        match &mut self.value {
            Some(value) => value.lapse(desk, &mut Scalar::new(&mut self.style, sink)),
            None => Ok(()),
        }
    }
}

impl Yaml {
    /// A line, or as much of a long one as is held.
    fn piece(&mut self, piece: &[u8], desk: &mut Desk, sink: &mut dyn Sink) -> Result<(), Stop> {
        let bare = piece.strip_suffix(b"\n").unwrap_or(piece);
        let bare = match piece.len() - bare.len() {
            0 => bare,
            _ => bare.strip_suffix(b"\r").unwrap_or(bare),
        };
        if std::mem::replace(&mut self.long, !piece.ends_with(b"\n")) {
            self.give(bare, desk, sink)?;
        } else {
            self.line(bare, desk, sink)?;
        }
        self.end = piece.get(bare.len()..).unwrap_or_default().to_vec();
        Ok(())
    }

    /// A line without its end.
    fn line(&mut self, bytes: &[u8], desk: &mut Desk, sink: &mut dyn Sink) -> Result<(), Stop> {
        let line = Line::read(bytes);
        if line.name.is_empty() && line.value == 0 {
            let end = std::mem::take(&mut self.end);
            self.give(&end, desk, sink)?;
            return self.give(bytes, desk, sink);
        }
        self.close(desk, sink)?;
        sink.keep(bytes.get(..line.name.start).unwrap_or_default());
        if !line.name.is_empty() {
            self.name(bytes.get(line.name.clone()).unwrap_or_default(), desk, sink)?;
        }
        sink.keep(bytes.get(line.name.end..line.value).unwrap_or_default());
        self.begin(bytes.get(line.value..).unwrap_or_default(), desk, sink)
    }

    /// A key; what follows is its value.
    fn name(&mut self, name: &[u8], desk: &mut Desk, sink: &mut dyn Sink) -> Result<(), Stop> {
        desk.trail.back_to(self.base.unwrap_or_default());
        desk.trail.name();
        let looked = desk.judge(name);
        desk.trail.leave();
        let known = match looked? {
            None => {
                sink.keep(name);
                name.to_vec()
            }
            Some(pieces) => {
                let mut style = Style::Fresh;
                let mut scalar = Scalar::new(&mut style, sink);
                pieces.give(name, &mut scalar);
                scalar.end();
                pieces.text(name)
            }
        };
        let known = String::from_utf8_lossy(&known);
        desk.trail.enter(known.trim_matches(['"', '\'']));
        Ok(())
    }

    /// The start of a value.
    fn begin(&mut self, bytes: &[u8], desk: &mut Desk, sink: &mut dyn Sink) -> Result<(), Stop> {
        let Some(end) = closing(bytes) else {
            return self.give(bytes, desk, sink);
        };
        let quote = bytes.get(..1).unwrap_or_default();
        let spelling = match quote {
            b"'" => Spelling::Doubled(b'\''),
            _ => Spelling::LooseJson,
        };
        sink.keep(quote);
        let inner = bytes.get(1..end).unwrap_or_default();
        value::whole(inner, spelling, desk, sink)?;
        sink.keep(quote);
        self.give(bytes.get(end + 1..).unwrap_or_default(), desk, sink)
    }

    /// More of the value.
    fn give(&mut self, text: &[u8], desk: &mut Desk, sink: &mut dyn Sink) -> Result<(), Stop> {
        if text.is_empty() {
            return Ok(());
        }
        let mut value = match self.value.take() {
            Some(value) => value,
            None => {
                self.style = Style::Fresh;
                Value::open(Spelling::Plain, desk)
            }
        };
        value.push(text, desk, &mut Scalar::new(&mut self.style, sink))?;
        self.value = Some(value);
        Ok(())
    }

    /// The value has ended, and its line with it.
    fn close(&mut self, desk: &mut Desk, sink: &mut dyn Sink) -> Result<(), Stop> {
        let mut scalar = Scalar::new(&mut self.style, sink);
        if let Some(value) = self.value.take() {
            value.close(desk, &mut scalar)?;
            scalar.end();
        }
        let end = std::mem::take(&mut self.end);
        sink.keep(&end);
        Ok(())
    }
}

//! Server-sent events of an interface that nobody knows: the data of each is a document or a text, the frame stays.

use memchr::memchr;

use super::desk::Desk;
use super::machine::Machine;
use super::spelling::Spelling;
use super::value::Value;
use crate::{Sink, Stop};

/// No name of a field is longer; other lines are looked at as they are.
const NAME: usize = 64;

/// Events that are being read.
#[derive(Debug, Default)]
pub(crate) struct Events {
    state: State,
    /// The start of a line that does not tell yet what it is, behind the end of a line of data.
    head: Vec<u8>,
    /// How much of `head` is the end of the line before.
    end: usize,
    data: Option<Box<Value>>,
    /// A line of another field.
    other: Option<Box<Value>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    Data,
    #[default]
    Head,
    Other,
}

/// What the start of a line tells.
enum Line {
    /// Data begin behind so many bytes.
    Data(usize),
    /// An event has ended.
    Empty,
    More,
    Other,
}

impl Machine for Events {
    fn push(&mut self, mut bytes: &[u8], desk: &mut Desk, sink: &mut dyn Sink) -> Result<(), Stop> {
        while !bytes.is_empty() {
            let used = match self.state {
                State::Head => self.head(bytes, desk, sink)?,
                State::Data | State::Other => self.line(bytes, desk, sink)?,
            };
            bytes = bytes.get(used..).unwrap_or_default();
        }
        Ok(())
    }

    fn finish(&mut self, desk: &mut Desk, sink: &mut dyn Sink) -> Result<(), Stop> {
        self.close(desk, sink)?;
        if let Some(other) = self.other.take() {
            other.close(desk, sink)?;
        }
        let head = std::mem::take(&mut self.head);
        let (end, line) = head.split_at(self.end.min(head.len()));
        sink.keep(end);
        if !line.is_empty() {
            desk.whole(line, sink)?;
        }
        Ok(())
    }

    fn lapse(&mut self, desk: &mut Desk, sink: &mut dyn Sink) -> Result<(), Stop> {
        let open = self.data.iter_mut().chain(&mut self.other);
        open.into_iter()
            .try_for_each(|value| value.lapse(desk, sink))
    }
}

impl Events {
    /// Gathers the start of a line.
    fn head(&mut self, bytes: &[u8], desk: &mut Desk, sink: &mut dyn Sink) -> Result<usize, Stop> {
        for (at, byte) in bytes.iter().enumerate() {
            self.head.push(*byte);
            let line = self.head.get(self.end..).unwrap_or_default();
            match tell(line) {
                Line::More => {}
                Line::Data(before) if line.len() > before => {
                    // This byte is of the data already.
                    self.head.pop();
                    self.begin(desk, sink)?;
                    return Ok(at);
                }
                Line::Data(_) => {
                    self.begin(desk, sink)?;
                    return Ok(at + 1);
                }
                Line::Empty => {
                    self.close(desk, sink)?;
                    sink.keep(&std::mem::take(&mut self.head));
                    self.end = 0;
                }
                Line::Other => {
                    self.other(desk, sink)?;
                    return Ok(at + 1);
                }
            }
        }
        Ok(bytes.len())
    }

    /// Data begin, or go on from the line before.
    fn begin(&mut self, desk: &mut Desk, sink: &mut dyn Sink) -> Result<(), Stop> {
        let head = std::mem::take(&mut self.head);
        self.end = 0;
        self.state = State::Data;
        match &mut self.data {
            Some(data) => data.joint(&head, b"\n", desk, sink),
            None => {
                sink.keep(&head);
                self.data = Some(Value::open(Spelling::Plain, desk));
                Ok(())
            }
        }
    }

    /// A line of another field: nothing but a text.
    fn other(&mut self, desk: &mut Desk, sink: &mut dyn Sink) -> Result<(), Stop> {
        self.close(desk, sink)?;
        let head = std::mem::take(&mut self.head);
        let (end, line) = head.split_at(self.end.min(head.len()));
        sink.keep(end);
        self.end = 0;
        self.state = State::Other;
        let mut other = Value::open(Spelling::Plain, desk);
        let (line, over) = match line.strip_suffix(b"\n") {
            Some(line) => (line, true),
            None => (line, false),
        };
        other.push(line, desk, sink)?;
        self.other = Some(other);
        if over {
            self.ended(desk, sink)?;
        }
        Ok(())
    }

    /// The rest of a line.
    fn line(&mut self, bytes: &[u8], desk: &mut Desk, sink: &mut dyn Sink) -> Result<usize, Stop> {
        let end = memchr(b'\n', bytes);
        let piece = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default();
        let value = match self.state {
            State::Data => &mut self.data,
            State::Head | State::Other => &mut self.other,
        };
        if let Some(value) = value {
            value.push(piece, desk, sink)?;
        }
        let Some(end) = end else {
            return Ok(bytes.len());
        };
        self.ended(desk, sink)?;
        Ok(end + 1)
    }

    /// A line has ended. Data may go on in the next.
    fn ended(&mut self, desk: &mut Desk, sink: &mut dyn Sink) -> Result<(), Stop> {
        if let Some(other) = self.other.take() {
            other.close(desk, sink)?;
            sink.keep(b"\n");
        } else {
            self.head.push(b'\n');
            self.end = 1;
        }
        self.state = State::Head;
        Ok(())
    }

    fn close(&mut self, desk: &mut Desk, sink: &mut dyn Sink) -> Result<(), Stop> {
        match self.data.take() {
            Some(data) => data.close(desk, sink),
            None => Ok(()),
        }
    }
}

fn tell(line: &[u8]) -> Line {
    const DATA: &[u8] = b"data:";
    if line == b"\n" || line == b"\r\n" {
        return Line::Empty;
    }
    if let Some(rest) = line.strip_prefix(DATA) {
        return match rest {
            [] => Line::More,
            [b' ', ..] => Line::Data(DATA.len() + 1),
            _ => Line::Data(DATA.len()),
        };
    }
    if DATA.starts_with(line) || line == b"\r" {
        return Line::More;
    }
    let ends = line.ends_with(b"\n") || line.ends_with(b":");
    if ends || line.len() >= NAME {
        Line::Other
    } else {
        Line::More
    }
}

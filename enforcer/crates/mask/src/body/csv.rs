//! Tables: a cell at a time, its column's name from the first row.

use memchr::memchr;

use super::desk::Desk;
use super::gone::Gone;
use super::machine::Machine;
use super::spelled::{Respell, Spelled};
use super::spelling::Spelling;
use super::value::{self, Value};
use crate::Sink;
use crate::Stop;

/// Columns that have a name.
const COLUMNS: usize = 4096;

/// The first row is no longer.
const FIRST: usize = 64 * 1024;

/// A table that is being read.
#[derive(Debug)]
pub(crate) struct Csv {
    /// What stands between cells, once the first row is there.
    between: Option<u8>,
    /// The first row, as long as it is not whole.
    first: Vec<u8>,
    /// How much of it went on.
    gone: Gone,
    /// How much of it was searched for its end, and whether that is within quotes.
    searched: (usize, bool),
    names: Vec<String>,
    column: usize,
    row: u64,
    cell: Cell,
}

#[derive(Debug)]
enum Cell {
    /// Without quotes.
    Bare(Box<Value>),
    /// Behind what may have been its closing quote.
    Closing(Box<Value>),
    Quoted(Box<Value>),
    /// None of it was seen.
    Start,
}

impl Csv {
    /// With tabs where the type says so; otherwise the first row tells.
    pub(crate) fn new(tabs: bool) -> Self {
        Self {
            between: tabs.then_some(b'\t'),
            first: Vec::new(),
            gone: Gone::default(),
            searched: (0, false),
            names: Vec::new(),
            column: 0,
            row: 0,
            cell: Cell::Start,
        }
    }
}

impl Machine for Csv {
    fn push(&mut self, bytes: &[u8], desk: &mut Desk, sink: &mut dyn Sink) -> Result<(), Stop> {
        if self.row > 0 {
            return self.cells(bytes, desk, sink);
        }
        let before = self.first.len();
        self.first.extend_from_slice(bytes);
        if let Some(end) = self.row_end() {
            let first = std::mem::take(&mut self.first);
            let (row, rest) = first.split_at(end);
            self.first_row(row, desk, sink)?;
            return self.cells(rest, desk, sink);
        }
        if before + bytes.len() > FIRST {
            return Err(desk.undecidable("a table's first row that is too long"));
        }
        Ok(())
    }

    fn finish(&mut self, desk: &mut Desk, sink: &mut dyn Sink) -> Result<(), Stop> {
        if self.row == 0 {
            let first = std::mem::take(&mut self.first);
            self.first_row(&first, desk, sink)?;
        }
        match std::mem::replace(&mut self.cell, Cell::Start) {
            Cell::Bare(value) | Cell::Quoted(value) => self.close(value, desk, sink),
            Cell::Closing(value) => {
                self.close(value, desk, sink)?;
                sink.keep(b"\"");
                Ok(())
            }
            Cell::Start => Ok(()),
        }
    }

    fn lapse(&mut self, desk: &mut Desk, sink: &mut dyn Sink) -> Result<(), Stop> {
        if self.row == 0 && !self.first.is_empty() {
            desk.trail.name();
            let lapsed = self.gone.lapse((&self.first, &self.first), desk, sink);
            desk.trail.leave();
            return lapsed;
        }
        match &mut self.cell {
            Cell::Bare(value) | Cell::Closing(value) | Cell::Quoted(value) => {
                value.lapse(desk, sink)
            }
            Cell::Start => Ok(()),
        }
    }
}

impl Csv {
    /// Where the first row ends, before its line's end.
    fn row_end(&mut self) -> Option<usize> {
        let (from, mut quoted) = self.searched;
        let fresh = self.first.get(from..).unwrap_or_default();
        let end = fresh.iter().position(|byte| {
            quoted ^= *byte == b'"';
            !quoted && matches!(byte, b'\n' | b'\r')
        });
        self.searched = (self.first.len(), quoted);
        end.map(|end| from + end)
    }

    fn first_row(&mut self, row: &[u8], desk: &mut Desk, sink: &mut dyn Sink) -> Result<(), Stop> {
        let mut gone = std::mem::take(&mut self.gone);
        gone.rest(desk, sink, |desk, sink| self.names(row, desk, sink))
    }

    /// The first row: looked at like any, and remembered.
    fn names(&mut self, row: &[u8], desk: &mut Desk, sink: &mut dyn Sink) -> Result<(), Stop> {
        let between = *self.between.get_or_insert_with(|| most(row));
        let row = row.strip_prefix(b"\xef\xbb\xbf").map_or(row, |rest| {
            sink.keep(b"\xef\xbb\xbf");
            rest
        });
        let depth = desk.trail.depth();
        for (place, piece) in split(row, between) {
            if place {
                sink.keep(piece);
                continue;
            }
            let name = self.name(piece, desk, sink);
            desk.trail.back_to(depth);
            let name = name?;
            if self.names.len() < COLUMNS {
                self.names.push(name);
            }
        }
        self.row = 1;
        Ok(())
    }

    /// One name, masked where it is to be.
    fn name(&mut self, raw: &[u8], desk: &mut Desk, sink: &mut dyn Sink) -> Result<String, Stop> {
        let quoted = raw
            .strip_prefix(b"\"")
            .and_then(|rest| rest.strip_suffix(b"\""));
        let spelling = match quoted {
            Some(_) => Spelling::Doubled(b'"'),
            None => Spelling::Bare,
        };
        let inner = quoted.unwrap_or(raw);
        let quote = quoted.map_or(&b""[..], |_| b"\"");
        let mut spelled = Spelled::default();
        let name = spelling.read(inner, &mut spelled);
        desk.trail.name();
        let looked = desk.judge(&name)?;
        sink.keep(quote);
        let known = match looked {
            None => {
                sink.keep(inner);
                name.into_owned()
            }
            Some(pieces) => {
                let mut respell = Respell {
                    spelling,
                    spelled: &mut spelled,
                    down: sink,
                };
                pieces.give(&name, &mut respell);
                pieces.text(&name)
            }
        };
        sink.keep(quote);
        Ok(String::from_utf8_lossy(&known).trim().to_owned())
    }

    fn cells(
        &mut self,
        mut bytes: &[u8],
        desk: &mut Desk,
        sink: &mut dyn Sink,
    ) -> Result<(), Stop> {
        while !bytes.is_empty() {
            let used = match std::mem::replace(&mut self.cell, Cell::Start) {
                Cell::Bare(value) => self.bare(value, bytes, desk, sink)?,
                Cell::Closing(value) => self.closing(value, bytes, desk, sink)?,
                Cell::Quoted(value) => self.quoted(value, bytes, desk, sink)?,
                Cell::Start => self.start(bytes, desk, sink)?,
            };
            bytes = bytes.get(used..).unwrap_or_default();
        }
        Ok(())
    }

    fn start(&mut self, bytes: &[u8], desk: &mut Desk, sink: &mut dyn Sink) -> Result<usize, Stop> {
        let first = bytes.get(..1).unwrap_or_default();
        match first {
            b"\n" => {
                self.row += 1;
                self.column = 0;
            }
            b"\r" => {}
            b"\"" => {
                sink.keep(first);
                if let Some(end) = closed(bytes) {
                    let cell = bytes.get(1..end).unwrap_or_default();
                    self.within(cell, Spelling::Doubled(b'"'), desk, sink)?;
                    sink.keep(b"\"");
                    return Ok(end + 1);
                }
                self.cell = Cell::Quoted(self.open(Spelling::Doubled(b'"'), desk));
                return Ok(1);
            }
            [byte] if Some(*byte) == self.between => self.column += 1,
            _ => return self.whole(bytes, desk, sink),
        }
        sink.keep(first);
        Ok(1)
    }

    /// A cell without quotes, at its start.
    fn whole(&mut self, bytes: &[u8], desk: &mut Desk, sink: &mut dyn Sink) -> Result<usize, Stop> {
        let between = self.between.unwrap_or(b',');
        let Some(end) = memchr::memchr3(between, b'\n', b'\r', bytes) else {
            self.cell = Cell::Bare(self.open(Spelling::Bare, desk));
            return Ok(0);
        };
        let cell = bytes.get(..end).unwrap_or_default();
        self.within(cell, Spelling::Bare, desk, sink)?;
        Ok(end)
    }

    /// A cell that is there from one end to the other.
    fn within(
        &self,
        cell: &[u8],
        spelling: Spelling,
        desk: &mut Desk,
        sink: &mut dyn Sink,
    ) -> Result<(), Stop> {
        self.enter(desk);
        value::whole(cell, spelling, desk, sink)?;
        desk.trail.leave();
        desk.trail.leave();
        Ok(())
    }

    fn bare(
        &mut self,
        mut value: Box<Value>,
        bytes: &[u8],
        desk: &mut Desk,
        sink: &mut dyn Sink,
    ) -> Result<usize, Stop> {
        let between = self.between.unwrap_or(b',');
        let end = memchr::memchr3(between, b'\n', b'\r', bytes);
        let length = end.unwrap_or(bytes.len());
        value.push(bytes.get(..length).unwrap_or_default(), desk, sink)?;
        match end {
            None => self.cell = Cell::Bare(value),
            Some(_) => self.close(value, desk, sink)?,
        }
        Ok(length)
    }

    fn quoted(
        &mut self,
        mut value: Box<Value>,
        bytes: &[u8],
        desk: &mut Desk,
        sink: &mut dyn Sink,
    ) -> Result<usize, Stop> {
        let end = memchr(b'"', bytes);
        let length = end.unwrap_or(bytes.len());
        value.push(bytes.get(..length).unwrap_or_default(), desk, sink)?;
        match end {
            None => self.cell = Cell::Quoted(value),
            Some(_) => self.cell = Cell::Closing(value),
        }
        Ok(length + usize::from(end.is_some()))
    }

    fn closing(
        &mut self,
        mut value: Box<Value>,
        bytes: &[u8],
        desk: &mut Desk,
        sink: &mut dyn Sink,
    ) -> Result<usize, Stop> {
        if bytes.first() == Some(&b'"') {
            value.push(b"\"\"", desk, sink)?;
            self.cell = Cell::Quoted(value);
            return Ok(1);
        }
        self.close(value, desk, sink)?;
        sink.keep(b"\"");
        Ok(0)
    }

    fn open(&self, spelling: Spelling, desk: &mut Desk) -> Box<Value> {
        self.enter(desk);
        Value::open(spelling, desk)
    }

    fn enter(&self, desk: &mut Desk) {
        let name = self.names.get(self.column).map_or("", String::as_str);
        desk.trail.enter(name);
        desk.trail.index(self.row.saturating_sub(1));
    }

    fn close(
        &mut self,
        value: Box<Value>,
        desk: &mut Desk,
        sink: &mut dyn Sink,
    ) -> Result<(), Stop> {
        value.close(desk, sink)?;
        desk.trail.leave();
        desk.trail.leave();
        Ok(())
    }
}

/// What stands between the cells of a row: the mark that it has most of.
fn most(row: &[u8]) -> u8 {
    let count = |mark: u8| row.iter().filter(|byte| **byte == mark).count();
    [b',', b';', b'\t', b'|']
        .into_iter()
        .rev()
        .max_by_key(|mark| count(*mark))
        .unwrap_or(b',')
}

/// Cells of a whole row, and `true` with what stands between them.
fn split(row: &[u8], between: u8) -> Vec<(bool, &[u8])> {
    let mut pieces = Vec::new();
    let mut quoted = false;
    let mut start = 0;
    for (at, byte) in row.iter().enumerate() {
        quoted ^= *byte == b'"';
        if *byte == between && !quoted {
            pieces.push((false, row.get(start..at).unwrap_or_default()));
            pieces.push((true, row.get(at..=at).unwrap_or_default()));
            start = at + 1;
        }
    }
    pieces.push((false, row.get(start..).unwrap_or_default()));
    pieces
}

/// Where a cell in quotes ends, if what follows its end is there too.
fn closed(bytes: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        at += memchr(b'"', bytes.get(at..)?)?;
        match bytes.get(at + 1)? {
            b'"' => at += 2,
            _ => return Some(at),
        }
    }
}

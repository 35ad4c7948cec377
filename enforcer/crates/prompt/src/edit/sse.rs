//! Server-sent events, cut at every empty line.
//!
//! A carriage return alone ends a line for some readers and not for others; a stream with one is undecidable.

use memchr::memchr;

use super::Stop;
use super::frame::{Data, Frame};
use crate::{Cause, Limits, Undecidable};

/// Bytes of an event that is not complete yet.
#[derive(Debug, Default)]
pub(super) struct Splitter {
    held: Vec<u8>,
    /// Where the line begins that is being read.
    line: usize,
    /// How many bytes came before those that are held.
    before: usize,
}

impl Splitter {
    pub(super) fn push(
        &mut self,
        bytes: &[u8],
        limits: &Limits,
        take: &mut dyn FnMut(&Frame<'_>) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        let mut searched = self.held.len();
        self.held.extend_from_slice(bytes);
        let mut start = 0;
        while let Some(found) = self
            .held
            .get(searched..)
            .and_then(|rest| memchr(b'\n', rest))
        {
            let end = searched + found;
            searched = end + 1;
            let line = self.held.get(self.line..end).unwrap_or_default();
            self.line = end + 1;
            if matches!(line, b"" | b"\r") {
                let raw = self.held.get(start..=end).unwrap_or_default();
                take(&frame(raw, self.before + start)?)?;
                start = end + 1;
            }
        }
        self.held.drain(..start);
        self.line -= start;
        self.before += start;
        if self.held.len() > limits.event {
            return Err(Undecidable::new(Cause::TooMany, "", self.before).into());
        }
        Ok(())
    }

    /// What is left when the stream ends: readers that need no empty line take it for an event.
    pub(super) fn finish(
        &mut self,
        take: &mut dyn FnMut(&Frame<'_>) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        let held = std::mem::take(&mut self.held);
        if held.is_empty() {
            return Ok(());
        }
        take(&frame(&held, self.before)?)
    }
}

/// Finds an event's data.
fn frame(raw: &[u8], offset: usize) -> Result<Frame<'_>, Undecidable> {
    let wrong = |at: usize| Undecidable::new(Cause::Malformed, "", offset + at);
    if offset == 0 && raw.starts_with(b"\xef\xbb\xbf") {
        return Err(wrong(0));
    }
    let mut data = Data::Nothing;
    for (start, line) in lines(raw) {
        if memchr(b'\r', line).is_some() {
            return Err(wrong(start));
        }
        let Some(value) = field(line, b"data") else {
            continue;
        };
        let from = start + (line.len() - value.len());
        data = match data {
            Data::Nothing => Data::Span(from..from + value.len()),
            Data::Span(first) => {
                let first = text(raw.get(first).unwrap_or_default(), offset)?;
                Data::Joined(format!("{first}\n{}", text(value, offset)?))
            }
            Data::Joined(before) => Data::Joined(format!("{before}\n{}", text(value, offset)?)),
        };
    }
    Ok(Frame { raw, data })
}

fn text(bytes: &[u8], offset: usize) -> Result<&str, Undecidable> {
    std::str::from_utf8(bytes).map_err(|_| Undecidable::new(Cause::InvalidUnicode, "", offset))
}

/// Lines without their ends, and where they begin.
fn lines(raw: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut at = 0;
    raw.split_inclusive(|byte| *byte == b'\n').map(move |line| {
        let start = at;
        at += line.len();
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        (start, line.strip_suffix(b"\r").unwrap_or(line))
    })
}

/// The value of a line, if it is this field's.
fn field<'l>(line: &'l [u8], name: &[u8]) -> Option<&'l [u8]> {
    let rest = line.strip_prefix(name)?;
    if rest.is_empty() {
        return Some(rest);
    }
    let value = rest.strip_prefix(b":")?;
    Some(value.strip_prefix(b" ").unwrap_or(value))
}

/// The name of an event, where it has one.
pub(super) fn name(raw: &[u8]) -> Option<&[u8]> {
    lines(raw)
        .filter_map(|(_, line)| field(line, b"event"))
        .last()
}

/// An event's bytes with other data: in the place of its first line of data, the rest of them gone.
pub(super) fn with_data(raw: &[u8], data: &str) -> Vec<u8> {
    let mut event = Vec::with_capacity(raw.len());
    let mut written = false;
    for line in raw.split_inclusive(|byte| *byte == b'\n') {
        let bare = line.strip_suffix(b"\n").unwrap_or(line);
        let bare = bare.strip_suffix(b"\r").unwrap_or(bare);
        if field(bare, b"data").is_none() {
            event.extend_from_slice(line);
            continue;
        }
        if !written {
            written = true;
            for piece in data.split('\n') {
                event.extend_from_slice(b"data: ");
                event.extend_from_slice(piece.as_bytes());
                event.extend_from_slice(line.get(bare.len()..).unwrap_or_default());
            }
        }
    }
    event
}

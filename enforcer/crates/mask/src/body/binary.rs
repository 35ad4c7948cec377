//! Bytes that are no text: runs of text in them are looked at, also where every other byte is zero. What is found there
//! cannot be replaced, since lengths and checksums elsewhere would not fit any more: it stops the body.

mod lengths;

use memchr::memchr;

use super::desk::Desk;
use super::machine::Machine;
use crate::Sink;
use crate::{Masker, Stop};
use lengths::Lengths;

/// Shorter runs hold nothing that is looked for.
const SHORTEST: usize = 6;

/// Bytes that are being read.
#[derive(Debug, Default)]
pub(crate) struct Binary {
    /// Text as it stands.
    narrow: Run,
    /// Text whose every other byte is zero.
    wide: Run,
    /// Values behind a byte that says how long they are.
    lengths: Lengths,
    last: Last,
    /// What may not go on yet.
    held: Vec<u8>,
}

/// The last byte, as far as wide text cares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Last {
    /// Text, behind a zero or at a run's start.
    Letter(u8),
    #[default]
    Other,
    Zero,
}

/// A run of text.
#[derive(Debug, Default)]
struct Run {
    /// Its first bytes, as long as it is too short to be looked at.
    start: Vec<u8>,
    masker: Option<Box<Masker>>,
    /// How much of it may not go on yet.
    held: usize,
}

/// Counts what comes out.
#[derive(Debug, Default)]
struct Count {
    out: usize,
    /// How much had been found before.
    before: usize,
    changed: bool,
}

impl Machine for Binary {
    fn push(&mut self, bytes: &[u8], desk: &mut Desk, sink: &mut dyn Sink) -> Result<(), Stop> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let text = rest.iter().position(|byte| !is_text(*byte));
            let (run, behind) = rest.split_at(text.unwrap_or(rest.len()));
            self.narrow.push(run, desk)?;
            self.lengths.push(run, desk)?;
            let other = behind.iter().position(|byte| is_text(*byte));
            if !behind.is_empty() {
                self.narrow.end(desk)?;
                let others = behind.get(..other.unwrap_or(behind.len()));
                self.lengths.end(others.unwrap_or_default());
            }
            rest = behind
                .get(other.unwrap_or(behind.len())..)
                .unwrap_or_default();
        }
        self.widely(bytes, desk)?;
        self.give(bytes, sink);
        Ok(())
    }

    fn finish(&mut self, desk: &mut Desk, sink: &mut dyn Sink) -> Result<(), Stop> {
        self.narrow.end(desk)?;
        self.lengths.end(b"");
        self.end_wide(desk)?;
        self.give(b"", sink);
        Ok(())
    }

    fn lapse(&mut self, desk: &mut Desk, sink: &mut dyn Sink) -> Result<(), Stop> {
        self.narrow.lapse(desk)?;
        self.wide.lapse(desk)?;
        self.lengths.lapse(desk)?;
        self.give(b"", sink);
        Ok(())
    }
}

impl Binary {
    /// Gives out what no run holds.
    fn give(&mut self, bytes: &[u8], sink: &mut dyn Sink) {
        let wide = match self.wide.held {
            0 => 0,
            letters => letters * 2 + 2,
        };
        let hold = self.narrow.held.max(wide).max(self.lengths.held());
        if hold == 0 && self.held.is_empty() {
            sink.keep(bytes);
            return;
        }
        self.held.extend_from_slice(bytes);
        let free = self.held.len().saturating_sub(hold);
        sink.keep(self.held.get(..free).unwrap_or_default());
        self.held.drain(..free);
    }

    fn widely(&mut self, mut bytes: &[u8], desk: &mut Desk) -> Result<(), Stop> {
        while !bytes.is_empty() {
            if self.wide.is_empty() && self.last != Last::Zero {
                // Nothing begins before the letter that stands before the next zero.
                let zero = memchr(0, bytes).unwrap_or(bytes.len());
                let skipped = zero.saturating_sub(1);
                if skipped > 0 {
                    self.last = Last::Other;
                    bytes = bytes.get(skipped..).unwrap_or_default();
                }
            }
            let Some((first, rest)) = bytes.split_first() else {
                break;
            };
            self.wide_byte(*first, desk)?;
            bytes = rest;
        }
        Ok(())
    }

    fn wide_byte(&mut self, byte: u8, desk: &mut Desk) -> Result<(), Stop> {
        match (self.last, byte) {
            (Last::Letter(letter), 0) => {
                self.wide.push(&[letter], desk)?;
                self.last = Last::Zero;
            }
            (Last::Zero, byte) if is_text(byte) => self.last = Last::Letter(byte),
            (Last::Other, byte) if is_text(byte) => self.last = Last::Letter(byte),
            (Last::Letter(_), byte) if is_text(byte) => {
                self.end_wide(desk)?;
                self.last = Last::Letter(byte);
            }
            (Last::Other, 0) => self.last = Last::Zero,
            _ => {
                self.end_wide(desk)?;
                self.last = match byte {
                    0 => Last::Zero,
                    _ => Last::Other,
                };
            }
        }
        Ok(())
    }

    fn end_wide(&mut self, desk: &mut Desk) -> Result<(), Stop> {
        if let (Last::Letter(letter), false) = (self.last, self.wide.is_empty()) {
            self.wide.push(&[letter], desk)?;
        }
        self.last = Last::Other;
        self.wide.end(desk)
    }
}

impl Run {
    fn is_empty(&self) -> bool {
        self.start.is_empty() && self.masker.is_none()
    }

    fn push(&mut self, text: &[u8], desk: &mut Desk) -> Result<(), Stop> {
        if text.is_empty() {
            return Ok(());
        }
        self.held += text.len();
        if let Some(masker) = &mut self.masker {
            let mut count = Count::of(desk);
            let looked = desk.look(masker, text, &mut count);
            return self.told(looked, &count, desk);
        }
        self.start.extend_from_slice(text);
        match self.start.len() < SHORTEST {
            true => Ok(()),
            false => self.begin(desk),
        }
    }

    fn begin(&mut self, desk: &mut Desk) -> Result<(), Stop> {
        let mut masker = desk.masker();
        let start = std::mem::take(&mut self.start);
        let mut count = Count::of(desk);
        let looked = desk.look(&mut masker, &start, &mut count);
        self.masker = Some(masker);
        self.told(looked, &count, desk)
    }

    /// What is held of it has waited long enough.
    fn lapse(&mut self, desk: &mut Desk) -> Result<(), Stop> {
        if !self.start.is_empty() {
            self.begin(desk)?;
        }
        let Some(masker) = &mut self.masker else {
            return Ok(());
        };
        let mut count = Count::of(desk);
        let looked = desk.lapse(masker, &mut count);
        self.told(looked, &count, desk)
    }

    fn end(&mut self, desk: &mut Desk) -> Result<(), Stop> {
        self.start.clear();
        let Some(masker) = self.masker.take() else {
            self.held = 0;
            return Ok(());
        };
        let mut count = Count::of(desk);
        let looked = desk.done(masker, &mut count);
        self.told(looked, &count, desk)?;
        self.held = 0;
        Ok(())
    }

    /// What would have been replaced stops the body, unless it is only our own placeholder.
    fn told(
        &mut self,
        looked: Result<(), Stop>,
        count: &Count,
        desk: &mut Desk,
    ) -> Result<(), Stop> {
        looked?;
        self.held = self.held.saturating_sub(count.out);
        if count.changed {
            desk.irreplaceable(count.before)?;
        }
        Ok(())
    }
}

impl Count {
    fn of(desk: &Desk) -> Self {
        Self {
            before: desk.count(),
            ..Self::default()
        }
    }
}

impl Sink for Count {
    fn keep(&mut self, bytes: &[u8]) {
        self.out += bytes.len();
    }

    fn replace(&mut self, taken: usize, _with: &[u8]) {
        self.out += taken;
        self.changed = true;
    }
}

const fn is_text(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r')
}

//! What was written in another way than it reads, until its text comes out again: where nothing changed, it is given out
//! as it was written.

use std::collections::VecDeque;

use super::spelling::Spelling;
use crate::Sink;

/// Escapes whose text has not come out yet.
#[derive(Debug, Default)]
pub(crate) struct Spelled {
    entries: VecDeque<Entry>,
    /// What all entries were written as, one behind the other.
    raw: VecDeque<u8>,
    /// How much text went in.
    read: u64,
    /// How much text came out.
    given: u64,
}

/// One escape.
#[derive(Clone, Copy, Debug)]
struct Entry {
    /// Where its text begins.
    at: u64,
    /// How much text of it has not come out.
    left: u8,
    /// How it was written takes so many bytes.
    raw: u8,
    /// A part of it was replaced, and the rest with it.
    spoiled: bool,
}

impl Spelled {
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.raw.clear();
        self.read = 0;
        self.given = 0;
    }

    /// Text that reads as it is written.
    pub(crate) fn itself(&mut self, length: usize) {
        self.read += length as u64;
    }

    /// `length` bytes of text that are written as `raw`.
    pub(crate) fn escape(&mut self, raw: &[u8], length: u8) {
        self.entries.push_back(Entry {
            at: self.read,
            left: length,
            raw: u8::try_from(raw.len()).unwrap_or(u8::MAX),
            spoiled: false,
        });
        self.raw.extend(raw);
        self.read += u64::from(length);
    }

    /// How much is held beside the text itself.
    pub(crate) fn held(&self) -> usize {
        self.raw.len()
    }

    /// Gives out text that stays.
    fn keep(&mut self, mut text: &[u8], down: &mut dyn Sink) {
        while let Some(entry) = self.entries.front_mut() {
            let before = entry.at.saturating_sub(self.given);
            let before = usize::try_from(before).unwrap_or(usize::MAX);
            if before >= text.len() {
                break;
            }
            let (plain, rest) = text.split_at(before);
            let part = rest.len().min(usize::from(entry.left));
            if !plain.is_empty() {
                down.keep(plain);
            }
            self.given += (before + part) as u64;
            entry.at = self.given;
            entry.left -= u8::try_from(part).unwrap_or(entry.left);
            text = rest.get(part..).unwrap_or_default();
            if entry.left == 0 {
                self.written(down);
            }
        }
        if !text.is_empty() {
            self.given += text.len() as u64;
            down.keep(text);
        }
    }

    /// The first escape's text has come out.
    fn written(&mut self, down: &mut dyn Sink) {
        let Some(entry) = self.entries.pop_front() else {
            return;
        };
        let mut raw = [0; 16];
        let mut length = 0;
        for (slot, byte) in raw.iter_mut().zip(self.raw.drain(..usize::from(entry.raw))) {
            *slot = byte;
            length += 1;
        }
        let raw = raw.get(..length).unwrap_or_default();
        if entry.spoiled {
            down.replace(raw.len(), b"");
        } else {
            down.keep(raw);
        }
    }

    /// `taken` bytes of text do not come out; says how many bytes they were written in.
    fn take(&mut self, taken: usize) -> usize {
        let end = self.given + taken as u64;
        let mut written = taken;
        while let Some(entry) = self.entries.front_mut() {
            if entry.at >= end {
                break;
            }
            let left = u64::from(entry.left);
            if entry.at + left > end {
                // The rest of it goes with what is replaced: it could not be written.
                let part = end - entry.at;
                entry.at = end;
                entry.left -= u8::try_from(part).unwrap_or(entry.left);
                entry.spoiled = true;
                written -= usize::try_from(part).unwrap_or(0);
                break;
            }
            written -= usize::from(entry.left);
            written += usize::from(entry.raw);
            let raw = usize::from(entry.raw);
            self.raw.drain(..raw);
            self.entries.pop_front();
        }
        self.given = end;
        written
    }
}

/// Text comes in, and goes on as its format writes it.
pub(crate) struct Respell<'a> {
    pub(crate) spelling: Spelling,
    pub(crate) spelled: &'a mut Spelled,
    pub(crate) down: &'a mut dyn Sink,
}

impl Sink for Respell<'_> {
    fn keep(&mut self, text: &[u8]) {
        self.spelled.keep(text, self.down);
    }

    fn replace(&mut self, taken: usize, with: &[u8]) {
        let written = self.spelled.take(taken);
        if self.spelling == Spelling::Plain {
            return self.down.replace(written, with);
        }
        let mut respelled = Vec::with_capacity(with.len() + 8);
        self.spelling.write(with, &mut respelled);
        self.down.replace(written, &respelled);
    }
}

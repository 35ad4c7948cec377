//! Values behind a byte that says how long they are, as records write them: protobuf, CBOR and their like. Where that byte is
//! a letter or a digit, or the byte behind the value is one, a value is no word of its own in the text that it stands in.

use super::{Count, is_text};
use crate::Stop;
use crate::body::desk::Desk;

/// Shorter values are none.
const LEAST: usize = 6;
/// So much of a value tells whether it begins as keys do.
const TELLING: usize = 24;
/// The largest byte that is the length of a value and nothing else.
const MOST: usize = 0x7f;

/// A run of text, as far as somebody may still say how long a part of it is.
#[derive(Debug, Default)]
pub(super) struct Lengths {
    /// From the first length whose value is not whole, or the last byte.
    run: Vec<u8>,
    /// How far lengths were looked for.
    seen: usize,
    /// Lengths whose values, or the byte behind them, did not come yet.
    open: Vec<Length>,
    /// The byte before the run, which is the first of it here.
    before: Option<u8>,
    /// How much of the run was forgotten.
    gone: usize,
}

/// A byte that may say how long a value is.
#[derive(Clone, Copy, Debug)]
struct Length {
    at: usize,
    /// It stands where the run begins, or behind a tag that stands there.
    first: bool,
    /// What came behind it has waited long enough.
    lapsed: bool,
}

// === impl Lengths ===

impl Lengths {
    /// How much of what came may not go on yet.
    pub(super) fn held(&self) -> usize {
        let holds = |length: &&Length| !length.lapsed && self.leads(length.at);
        let leading = self.open.iter().find(holds);
        leading.map_or(0, |length| self.run.len() - length.at)
    }

    /// What is held has waited long enough: a value of which a part came is judged as if it ended there, and again when it does.
    pub(super) fn lapse(&mut self, desk: &mut Desk) -> Result<(), Stop> {
        for length in &mut self.open {
            length.lapsed = true;
            judge(self.run.get(length.at + 1..).unwrap_or_default(), desk)?;
        }
        Ok(())
    }

    /// More of the run.
    pub(super) fn push(&mut self, text: &[u8], desk: &mut Desk) -> Result<(), Stop> {
        if text.is_empty() {
            return Ok(());
        }
        if self.run.is_empty() {
            self.run.extend(self.before);
        }
        self.run.extend_from_slice(text);
        let open = std::mem::take(&mut self.open);
        for length in open {
            self.ask(length, desk)?;
        }
        let begins = usize::from(self.before.is_some()) + 1;
        for at in self.seen..self.run.len() {
            if self.may_be_length(at) {
                let first = self.gone + at <= begins;
                let length = Length {
                    at,
                    first,
                    lapsed: false,
                };
                self.ask(length, desk)?;
            }
        }
        self.seen = self.run.len();
        self.forget();
        Ok(())
    }

    /// The run has ended, with these bytes behind it. What is not whole is no value.
    pub(super) fn end(&mut self, behind: &[u8]) {
        self.open.clear();
        self.run.clear();
        (self.seen, self.gone) = (0, 0);
        self.before = behind.last().copied().or(self.before);
    }

    /// What stands before says that a length may follow: a tag, a kind, a byte that is no text, nothing.
    fn may_be_length(&self, at: usize) -> bool {
        let length = self.run.get(at).copied().unwrap_or_default();
        if !(LEAST..=MOST).contains(&usize::from(length)) {
            return false;
        }
        match at.checked_sub(1).and_then(|before| self.run.get(before)) {
            None => true,
            // Fields of protobuf that are as long as they say; a text of CBOR.
            Some(&before) => !is_text(before) || before & 7 == 2 || before == b'x',
        }
    }

    /// Looks at the value of a length if all of it is there, and the byte behind it.
    fn ask(&mut self, length: Length, desk: &mut Desk) -> Result<(), Stop> {
        let Length { at, first, .. } = length;
        let bytes = usize::from(self.run.get(at).copied().unwrap_or_default());
        let rest = self.run.get(at + 1..).unwrap_or_default();
        let leads = self.leads(at) || rest.is_empty();
        let Some(value) = rest.get(..bytes) else {
            // Within a text only what begins as keys do: any letter may stand before any.
            if !leads || first || rest.len() < TELLING || desk.begins(rest) {
                self.open.push(length);
            }
            return Ok(());
        };
        let behind = rest.get(bytes).copied();
        let trails = value.last().copied().is_some_and(is_word) && behind.is_some_and(is_word);
        if leads && (first || desk.begins(value)) || !leads && trails {
            return judge(value, desk);
        }
        if !leads && behind.is_none() {
            self.open.push(length);
        }
        Ok(())
    }

    /// Whether the length and its value make one word.
    fn leads(&self, at: usize) -> bool {
        let word = |at: usize| self.run.get(at).copied().is_some_and(is_word);
        word(at) && word(at + 1)
    }

    /// Forgets what no length reaches.
    fn forget(&mut self) {
        let last = self.run.len().saturating_sub(1);
        let first = self.open.iter().map(|length| length.at).min();
        // What stands before a length was looked at.
        let gone = first.unwrap_or(last).min(last);
        self.run.drain(..gone);
        self.seen -= gone;
        self.open.iter_mut().for_each(|length| length.at -= gone);
        self.gone += gone;
    }
}

/// A value of its own: what is found in it stops the body.
fn judge(value: &[u8], desk: &mut Desk) -> Result<(), Stop> {
    let mut count = Count::of(desk);
    desk.whole(value, &mut count)?;
    match count.changed {
        true => desk.irreplaceable(count.before),
        false => Ok(()),
    }
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

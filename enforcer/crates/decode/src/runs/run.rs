//! A run of digits of one alphabet, decoded as it comes.

use super::alphabet::{Alphabet, NONE};
use super::reading::READINGS;
use super::sift::{Alphabets, is_text, may, pass};
use super::stretch::Stretch;
use super::{Context, SHORTEST, Work};

/// So many groups are decoded at once.
const BLOCK: usize = 16;

/// One reading of where a text has digits.
#[derive(Clone, Debug)]
pub(super) struct Run {
    /// Which one.
    pub(super) index: usize,
    alphabet: &'static Alphabet,
    /// How many digits there were, with those that are passed first.
    all: usize,
    /// Offset of the first digit that is read.
    start: u64,
    /// How many digits were read.
    len: usize,
    /// The first of them, while they are too few.
    head: [u8; SHORTEST],
    /// Digits that make no whole group yet, and where they begin.
    rest: Vec<u8>,
    rest_at: u64,
    stretch: Stretch,
}

// === impl Run ===

impl Run {
    /// The reading at `index`.
    pub(super) fn new(index: usize) -> Self {
        let (alphabet, looked_for) = (READINGS[index].alphabet(), READINGS[index].looked_for());
        Self {
            index,
            alphabet,
            all: 0,
            start: 0,
            len: 0,
            head: [0; SHORTEST],
            rest: Vec::new(),
            rest_at: 0,
            stretch: Stretch::new(alphabet.layer, looked_for),
        }
    }

    /// As a new one, in the room that it has.
    pub(super) fn restart(&mut self) {
        (self.all, self.len) = (0, 0);
        self.rest.clear();
        self.stretch.restart();
    }

    /// The same so far, as the reading at `index` has it.
    pub(super) fn twin(&self, index: usize) -> Self {
        Self {
            index,
            alphabet: READINGS[index].alphabet(),
            ..self.clone()
        }
    }

    /// Takes bytes that are digits of some alphabet; those that are none of its own end its run.
    pub(super) fn digits(
        &mut self,
        mut bytes: &[u8],
        mut at: u64,
        (of, context, work): (Alphabets, &Context, &mut Work<'_, '_>),
    ) {
        let bit = 1 << READINGS[self.index].alphabet;
        if of.whole & bit != 0 {
            return self.take(bytes, at, (context, work));
        }
        let values = &self.alphabet.values;
        let own = |byte: &u8| values[usize::from(*byte)] != NONE;
        if self.all > 0 {
            let len = bytes.iter().take_while(|byte| own(byte)).count();
            self.take(&bytes[..len], at, (context, &mut *work));
            if len == bytes.len() {
                return;
            }
            self.end(work);
            (bytes, at) = (&bytes[len + 1..], at + len as u64 + 1);
        }
        let skipped = bytes.len().saturating_sub(SHORTEST - 1);
        if of.long & bit == 0 {
            (bytes, at) = (&bytes[skipped..], at + skipped as u64);
        }
        // Looked at from behind, most that is too short is passed with one look.
        while let Some(first) = bytes.get(..SHORTEST) {
            if let Some(other) = first.iter().rposition(|byte| !own(byte)) {
                (bytes, at) = (&bytes[other + 1..], at + other as u64 + 1);
                continue;
            }
            let len = bytes.iter().take_while(|byte| own(byte)).count();
            let whole = len < bytes.len();
            if !whole || may(&bytes[..len], self.index) {
                self.take(&bytes[..len], at, (context, &mut *work));
            }
            if !whole {
                return;
            }
            self.end(work);
            (bytes, at) = (&bytes[len + 1..], at + len as u64 + 1);
        }
        let from = bytes
            .iter()
            .rposition(|byte| !own(byte))
            .map_or(0, |other| other + 1);
        if from < bytes.len() {
            self.take(&bytes[from..], at + from as u64, (context, work));
        }
    }

    /// The run is over.
    pub(super) fn end(&mut self, work: &mut Work<'_, '_>) {
        if self.len >= SHORTEST {
            let (bytes, whole) = self.alphabet.decode(&self.rest);
            if whole > 0 {
                self.stretch
                    .take(&bytes[..whole], (self.rest_at, self.rest.len() as u8), work);
            }
            self.stretch.end(work);
        }
        self.rest.clear();
        self.len = 0;
        self.all = 0;
    }

    /// Whether it may go on over the end of a line: it is text so far, and whole. What is read from another digit than the
    /// first is read so in each line.
    pub(super) fn crosses(&self) -> bool {
        let lines = self.alphabet.lines && READINGS[self.index].shift == 0;
        lines && self.rest.is_empty() && self.stretch.is_shown()
    }

    pub(super) fn show(&mut self, work: &mut Work<'_, '_>) {
        self.stretch.show(work);
    }

    /// From where it may not be let go.
    pub(super) fn open(&self) -> Option<u64> {
        if self.len == 0 {
            return None;
        }
        if self.len < SHORTEST {
            return self.short();
        }
        let rest = (!self.rest.is_empty()).then_some(self.rest_at);
        [rest, self.stretch.open()].into_iter().flatten().min()
    }

    pub(super) fn first_source(&self) -> Option<u64> {
        self.stretch.first_source()
    }

    fn take(&mut self, digits: &[u8], mut at: u64, (context, work): (&Context, &mut Work<'_, '_>)) {
        let shift = READINGS[self.index].shift;
        let passed = shift.saturating_sub(self.all).min(digits.len());
        self.all += digits.len();
        let digits = &digits[passed..];
        at += passed as u64;
        if digits.is_empty() {
            return;
        }
        if self.len == 0 {
            self.start = at;
        }
        let before = self.len;
        self.len += digits.len();
        if before >= SHORTEST {
            return self.decode(digits, at, work);
        }
        if let Some(head) = digits.first_chunk().filter(|_| before == 0) {
            self.begin(head, context);
            return self.decode(digits, at, work);
        }
        let taken = digits.len().min(SHORTEST - before);
        self.head[before..before + taken].copy_from_slice(&digits[..taken]);
        if self.len >= SHORTEST {
            let (start, head) = (self.start, self.head);
            self.begin(&head, context);
            self.decode(&head, start, work);
            self.decode(&digits[taken..], at + taken as u64, work);
        }
    }

    fn begin(&mut self, head: &[u8; SHORTEST], context: &Context) {
        let start = self.start;
        let near = context.at + context.text.len() as u64 == start;
        self.stretch
            .begin(start, start + word(head) as u64, near.then_some(context));
    }

    fn decode(&mut self, digits: &[u8], at: u64, work: &mut Work<'_, '_>) {
        let group = self.alphabet.group;
        let mut done = 0;
        if !self.rest.is_empty() {
            done = digits.len().min(group - self.rest.len());
            self.rest.extend_from_slice(&digits[..done]);
            if self.rest.len() < group {
                return;
            }
            let (bytes, whole) = self.alphabet.decode(&self.rest);
            let took = at + done as u64 - self.rest_at;
            self.stretch
                .take(&bytes[..whole], (self.rest_at, took as u8), work);
            self.rest.clear();
        }
        let rest = (digits.len() - done) % group;
        let (whole, rest) = digits[done..].split_at(digits.len() - done - rest);
        let mut at = at + done as u64;
        self.groups(whole, at, work);
        at += whole.len() as u64;
        self.rest.extend_from_slice(rest);
        self.rest_at = at;
    }

    /// Decodes whole groups, and shows the stretch what of it may be text.
    fn groups(&mut self, mut digits: &[u8], mut at: u64, work: &mut Work<'_, '_>) {
        let group = self.alphabet.group;
        while !digits.is_empty() {
            let took = self.plain(digits, at, work);
            if took > 0 {
                (digits, at) = (&digits[took..], at + took as u64);
                continue;
            }
            let passed = if self.stretch.is_idle() {
                pass(digits, &READINGS[self.index])
            } else {
                0
            };
            if passed > 0 {
                self.stretch.broken(at);
            }
            let took = match passed {
                0 => self.one(digits, at, work),
                passed => passed * group,
            };
            (digits, at) = (&digits[took..], at + took as u64);
        }
    }

    /// Decodes groups that are plain text, enough to be shown or more of what is; says how many digits that was.
    fn plain(&mut self, digits: &[u8], at: u64, work: &mut Work<'_, '_>) -> usize {
        let group = self.alphabet.group;
        let shown = self.stretch.is_shown();
        if !(shown || self.stretch.is_idle() && self.begins_text(digits)) {
            return 0;
        }
        let mut bytes = [0; BLOCK * 5];
        let block = &digits[..digits.len().min(BLOCK * group)];
        let per = self.alphabet.bytes(block, &mut bytes);
        let bytes = &bytes[..block.len() / group * per];
        let source = (at, group as u8);
        let took = if shown {
            self.stretch.go_on(bytes, per, source)
        } else {
            self.stretch.open_with(bytes, per, (source, work))
        };
        took * group
    }

    fn begins_text(&self, digits: &[u8]) -> bool {
        let (bytes, whole) = self.alphabet.decode(&digits[..self.alphabet.group]);
        bytes[..whole].iter().all(|byte| is_text(*byte))
    }

    /// Decodes a group; says how many digits that was.
    fn one(&mut self, digits: &[u8], at: u64, work: &mut Work<'_, '_>) -> usize {
        let group = self.alphabet.group;
        let (bytes, whole) = self.alphabet.decode(&digits[..group]);
        self.stretch.take(&bytes[..whole], (at, group as u8), work);
        group
    }

    /// From where it may not be let go while it is short.
    fn short(&self) -> Option<u64> {
        let held = held(self.alphabet, &self.head[..self.len]);
        held.map(|at| self.start + at as u64)
    }
}

/// From where a run that ends with `digits`, and may become long enough, may not be let go as `index` reads it.
pub(super) fn held_by(index: usize, digits: &[u8]) -> Option<usize> {
    let reading = &READINGS[index];
    let alphabet = reading.alphabet();
    let other = digits
        .iter()
        .rposition(|byte| alphabet.values[usize::from(*byte)] == NONE);
    let from = other.map_or(0, |other| other + 1) + reading.shift;
    let head = digits.get(from..).filter(|head| !head.is_empty())?;
    held(alphabet, head).map(|at| from + at)
}

/// A run that may become long enough is let go if it is no text, and as far as it looks like a word: a value that begins
/// with such a word is found all the same, and replaced behind it.
fn held(alphabet: &Alphabet, head: &[u8]) -> Option<usize> {
    let word = word(head);
    if word == head.len() {
        return None;
    }
    let whole = head.len() - head.len() % alphabet.group;
    let mut groups = head.chunks(alphabet.group);
    let text = groups.all(|digits| {
        let (bytes, whole) = alphabet.decode(digits);
        bytes[..whole]
            .iter()
            .all(|byte| is_text(*byte) || *byte == 0)
    });
    (text || whole == 0).then_some(word)
}

/// How many of the digits at the beginning make a word: small letters, the first also a capital.
pub(super) fn word(head: &[u8]) -> usize {
    let capital = usize::from(head.first().is_some_and(u8::is_ascii_uppercase));
    capital
        + head[capital..]
            .iter()
            .take_while(|byte| byte.is_ascii_lowercase())
            .count()
}

//! A run of digits of one alphabet, decoded as it comes.

use super::alphabet::{Alphabet, NONE};
use super::stretch::{Stretch, is_text, skim};
use super::{Context, SHORTEST, Work};

/// So many groups are decoded at once.
const BLOCK: usize = 256;

/// One alphabet's reading of where a text has digits.
#[derive(Clone, Debug)]
pub(super) struct Run {
    alphabet: &'static Alphabet,
    /// Offset of the run's first digit.
    start: u64,
    /// How many digits there were.
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
    pub(super) fn new(alphabet: &'static Alphabet) -> Self {
        Self {
            alphabet,
            start: 0,
            len: 0,
            head: [0; SHORTEST],
            rest: Vec::new(),
            rest_at: 0,
            stretch: Stretch::new(alphabet.layer),
        }
    }

    /// Takes bytes that are digits of some alphabet; those that are none of its own end its run.
    pub(super) fn digits(
        &mut self,
        mut bytes: &[u8],
        mut at: u64,
        (context, work): (&Context, &mut Work<'_, '_>),
    ) {
        let values = &self.alphabet.values;
        let own = |byte: &u8| values[usize::from(*byte)] != NONE;
        if self.len > 0 {
            let len = bytes.iter().take_while(|byte| own(byte)).count();
            self.take(&bytes[..len], at, (context, &mut *work));
            if len == bytes.len() {
                return;
            }
            self.end(work);
            (bytes, at) = (&bytes[len + 1..], at + len as u64 + 1);
        }
        // Looked at from behind, most that is too short is passed with one look.
        while let Some(first) = bytes.get(..SHORTEST) {
            if let Some(other) = first.iter().rposition(|byte| !own(byte)) {
                (bytes, at) = (&bytes[other + 1..], at + other as u64 + 1);
                continue;
            }
            let len = bytes.iter().take_while(|byte| own(byte)).count();
            self.take(&bytes[..len], at, (context, &mut *work));
            if len == bytes.len() {
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
    }

    /// Whether it may go on over the end of a line: it is text so far, and whole.
    pub(super) fn crosses(&self) -> bool {
        self.alphabet.lines && self.rest.is_empty() && self.stretch.is_shown()
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

    fn take(&mut self, digits: &[u8], at: u64, (context, work): (&Context, &mut Work<'_, '_>)) {
        if self.len == 0 {
            self.start = at;
        }
        let before = self.len;
        self.len += digits.len();
        if before >= SHORTEST {
            return self.decode(digits, at, work);
        }
        let taken = digits.len().min(SHORTEST - before);
        self.head[before..before + taken].copy_from_slice(&digits[..taken]);
        if self.len >= SHORTEST {
            let (start, head) = (self.start, self.head);
            let near = context.at + context.text.len() as u64 == start;
            self.stretch
                .begin(start, start + word(&head) as u64, near.then_some(context));
            self.decode(&head, start, work);
            self.decode(&digits[taken..], at + taken as u64, work);
        }
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
        for block in whole.chunks(BLOCK * group) {
            self.block(block, at, work);
            at += block.len() as u64;
        }
        self.rest.extend_from_slice(rest);
        self.rest_at = at;
    }

    /// Decodes whole groups, at most a block of them, and shows the stretch what of it may be text.
    fn block(&mut self, digits: &[u8], at: u64, work: &mut Work<'_, '_>) {
        let group = self.alphabet.group;
        let mut bytes = [0; BLOCK * 5];
        let per = self.alphabet.bytes(digits, &mut bytes);
        let mut next = 0;
        while next < digits.len() / group {
            let here = at + (next * group) as u64;
            let bytes = &bytes[next * per..digits.len() / group * per];
            let passed = if self.stretch.is_idle() {
                skim(bytes) / per
            } else {
                0
            };
            if passed > 0 {
                self.stretch.broken(here);
                next += passed;
                continue;
            }
            self.stretch.take(&bytes[..per], (here, group as u8), work);
            next += 1;
        }
    }

    /// A run that may become long enough. It is let go if it is no text, and as far as it looks like a word: a value
    /// that begins with such a word is found all the same, and replaced behind it.
    fn short(&self) -> Option<u64> {
        let head = &self.head[..self.len];
        let word = word(head);
        let whole = self.len - self.len % self.alphabet.group;
        let mut groups = head.chunks(self.alphabet.group);
        let text = groups.all(|digits| {
            let (bytes, whole) = self.alphabet.decode(digits);
            bytes[..whole]
                .iter()
                .all(|byte| is_text(*byte) || *byte == 0)
        });
        (word < self.len && (text || whole == 0)).then_some(self.start + word as u64)
    }
}

/// How many of the digits at the beginning make a word: small letters, the first also a capital.
fn word(head: &[u8]) -> usize {
    let capital = usize::from(head.first().is_some_and(u8::is_ascii_uppercase));
    capital
        + head[capital..]
            .iter()
            .take_while(|byte| byte.is_ascii_lowercase())
            .count()
}

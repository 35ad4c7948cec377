//! Pairs of hexadecimal digits with the same thing between them: `73:6b`, `73 6b`, `0x73, 0x6b`.

use super::reading::READINGS;
use super::sift::is_text;
use super::stretch::Stretch;
use super::{Context, Work};
use crate::blocks::{BLOCK, padded, range, words};
use crate::channel::LOOKBACK;
use crate::chars::hex;
use crate::engines::Window;
use crate::layers::Layers;

/// What stands between pairs; what begins another comes behind it.
const BETWEEN: &[&[u8]] = &[
    b", 0x", b",0x", b" 0x", b":0x", b"\n0x", b", ", b": ", b"; ", b":", b"-", b" ", b",", b".",
    b"_", b";", b"|", b"/", b"\n",
];

#[derive(Clone, Debug)]
pub(super) struct Spaced {
    /// Offset of what is not decided.
    next: u64,
    /// What is at `next` is not all there.
    short: bool,
    /// Pairs are being read.
    live: bool,
    between: Option<&'static [u8]>,
    context: Context,
    stretch: Stretch,
}

enum Step {
    Over,
    Pair(&'static [u8], u8),
    Short,
}

// === impl Spaced ===

impl Default for Spaced {
    fn default() -> Self {
        Self {
            next: 0,
            short: false,
            live: false,
            between: None,
            context: Context::default(),
            stretch: Stretch::new(Layers::HEX, READINGS[0].looked_for()),
        }
    }
}

impl Spaced {
    /// As a new one, in the room that it has.
    pub(super) fn restart(&mut self) {
        (self.next, self.short, self.live) = (0, false, false);
        self.between = None;
        self.stretch.restart();
    }

    pub(super) fn begin_at(&mut self, at: u64) {
        self.next = at;
    }

    pub(super) fn feed(&mut self, window: &Window<'_>, work: &mut Work<'_, '_>) {
        let mut at = (self.next.max(window.base) - window.base) as usize;
        self.short = false;
        loop {
            if self.live {
                at = self.pairs(at, window, work);
                if self.live {
                    break;
                }
            }
            match begin(window.text, at, window.last) {
                Begin::Never => {
                    at = window.text.len();
                    break;
                }
                Begin::Short(from) => {
                    (at, self.short) = (from, true);
                    break;
                }
                Begin::At(from) => {
                    at = from + 2;
                    self.begin(from, window, work);
                }
            }
        }
        self.next = window.base + at as u64;
        self.stretch.show(work);
    }

    pub(super) fn open(&self) -> Option<u64> {
        let stretch = self.live.then(|| self.stretch.open()).flatten();
        let next = self.short.then_some(self.next);
        [stretch, next].into_iter().flatten().min()
    }

    pub(super) fn first_source(&self) -> Option<u64> {
        self.stretch.first_source()
    }

    fn begin(&mut self, from: usize, window: &Window<'_>, work: &mut Work<'_, '_>) {
        let near = from.saturating_sub(LOOKBACK);
        self.context.text.clear();
        self.context
            .text
            .extend_from_slice(&window.text[near..from]);
        self.context.at = window.base + near as u64;
        let at = window.base + from as u64;
        self.stretch.begin(at, at, Some(&self.context));
        let byte = hex(&window.text[from..from + 2]).unwrap_or_default() as u8;
        self.stretch.take(&[byte], (at, 2), work);
        (self.live, self.between) = (true, None);
    }

    /// Takes pairs from behind one of them on.
    fn pairs(&mut self, mut at: usize, window: &Window<'_>, work: &mut Work<'_, '_>) -> usize {
        loop {
            match step(&window.text[at..], self.between, window.last) {
                Step::Short => {
                    self.short = true;
                    return at;
                }
                Step::Over => {
                    self.stretch.end(work);
                    self.live = false;
                    return at;
                }
                Step::Pair(between, byte) => {
                    let took = between.len() + 2;
                    let source = window.base + at as u64;
                    self.stretch.take(&[byte], (source, took as u8), work);
                    self.between = Some(between);
                    at += took;
                }
            }
        }
    }
}

fn step(rest: &[u8], between: Option<&'static [u8]>, last: bool) -> Step {
    let mut short = false;
    match rest {
        // Another begins right behind one byte, or what is between is longer.
        [one, two, ..] if is_between(*one) && (two.is_ascii_hexdigit() || *two == b' ') => {}
        [_, _, ..] => return Step::Over,
        [_] | [] => {}
    }
    let first = rest.first();
    for &one in BETWEEN {
        // Of most, what is between begins otherwise.
        if first.is_some() && first != one.first() {
            continue;
        }
        if between.is_some_and(|between| between != one) {
            continue;
        }
        let known = rest.len().min(one.len());
        if rest[..known] != one[..known] {
            continue;
        }
        let digits = &rest[known..];
        let pair = &digits[..digits.len().min(2)];
        match (hex(pair), digits.get(2)) {
            (None, _) => {}
            (Some(_), None) if !last => short = true,
            (Some(byte), behind) if pair.len() == 2 => {
                if !behind.is_some_and(u8::is_ascii_alphanumeric) {
                    return Step::Pair(one, byte as u8);
                }
            }
            (Some(_), _) => {}
        }
    }
    if short { Step::Short } else { Step::Over }
}

enum Begin {
    At(usize),
    Never,
    Short(usize),
}

/// The next pair that stands alone, says a byte of text, and that another may follow.
fn begin(text: &[u8], from: usize, last: bool) -> Begin {
    let mut at = from;
    loop {
        at = candidate(text, at);
        let Some(pair) = text
            .get(at..text.len().min(at + 2))
            .filter(|pair| !pair.is_empty())
        else {
            return Begin::Never;
        };
        let alone = match text[..at].last_chunk::<2>() {
            Some([b'0', b'x' | b'X']) => true,
            Some([_, before]) => !before.is_ascii_alphanumeric(),
            None => !text[..at].last().is_some_and(u8::is_ascii_alphanumeric),
        };
        match (hex(pair), text.get(at + 2)) {
            (Some(_), None) if alone && !last => return Begin::Short(at),
            (Some(byte), Some(behind)) if alone && is_text(byte as u8) => {
                let goes_on = || !matches!(step(&text[at + 2..], None, last), Step::Over);
                if is_between(*behind) && goes_on() {
                    return Begin::At(at);
                }
            }
            (None | Some(_), _) => {}
        }
        at += 1;
    }
}

/// Whether what stands between pairs begins with it.
const fn is_between(byte: u8) -> bool {
    matches!(
        byte,
        b',' | b' ' | b':' | b';' | b'-' | b'.' | b'_' | b'|' | b'/' | b'\n'
    )
}

/// The next place where a pair could begin.
fn candidate(text: &[u8], mut at: usize) -> usize {
    while let Some(block) = text.get(at..).and_then(<[u8]>::first_chunk) {
        let first = range(block, b'2', b'7');
        if first == 0 {
            at += BLOCK;
            continue;
        }
        let found = pairs(first, block, text[..at].last()) & KNOWN;
        if found != 0 {
            return at + found.trailing_zeros() as usize;
        }
        at += KNOWN.trailing_ones() as usize;
    }
    let rest = text.get(at..).unwrap_or_default();
    let block = padded(rest);
    let first = range(&block, b'2', b'7');
    if first == 0 {
        return text.len();
    }
    let found = pairs(first, &block, text[..at].last());
    // What is behind the last one may be anything.
    let ending = first & 1 << rest.len().saturating_sub(1);
    at + rest.len().min((found | ending).trailing_zeros() as usize)
}

/// No pair that says a byte of text is in the block.
pub(super) fn none_paired(block: &[u8; BLOCK]) -> bool {
    let first = range(block, b'2', b'7');
    first == 0 || first & (range(block, b'0', b'9') | range(block, b'a', b'f')) >> 1 == 0
}

/// The places of a block of which the two behind are told as well.
const KNOWN: u64 = u64::MAX >> 2;

/// Which of `first` begin a pair that nothing of a word stands beside, but the `x` of `0x` before it.
fn pairs(first: u64, block: &[u8; BLOCK], before: Option<&u8>) -> u64 {
    let second = range(block, b'0', b'9') | range(block, b'a', b'f');
    let found = first & second >> 1;
    if found == 0 {
        return 0;
    }
    let words = words(block);
    let within = words & !range(block, b'x', b'x');
    let before = before.is_some_and(|byte| byte.is_ascii_alphanumeric() && byte | 0x20 != b'x');
    found & !(words >> 2) & !(within << 1 | u64::from(before))
}

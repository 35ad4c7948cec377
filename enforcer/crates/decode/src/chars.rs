//! Characters that stand for others: escapes, references, look-alikes, and those that are not seen.
//!
//! Clean text is only searched for the few bytes that can begin any of that. From the first one found on, the text is
//! shown decoded, with what was before it, until nothing was decoded for a while.

mod confusables;
mod entity;
mod escape;
mod percent;
mod unicode;

use std::iter;

use crate::blocks::{BLOCK, escapes, padded};
use crate::channel::{CONTEXT, Channel, LOOKBACK, Last, Look};
use crate::decoder::Limits;
use crate::engines::Window;
use crate::layers::Layers;

pub use unicode::{Folded, fold};

/// What stands at a place of a text.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Unit {
    /// So many bytes that stand for themselves.
    Plain(usize),
    /// Not enough of it is there.
    Short,
    /// `taken` bytes that stand for others.
    Coded {
        taken: usize,
        bytes: Short,
        layer: Layers,
        /// Reason enough to show the text decoded, or only decoded where it is shown already.
        opens: bool,
    },
}

/// A few bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Short {
    bytes: [u8; 4],
    len: u8,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Chars {
    /// Offset of the first byte that is not decided.
    next: u64,
    shown: Option<Box<Shown>>,
    /// What is at `next` is not all there.
    short: bool,
}

/// The text shown decoded.
#[derive(Clone, Debug)]
struct Shown {
    view: Channel,
    /// Nothing was decoded for so long that it ends here.
    until: u64,
    /// Quoted-printable was seen, so that every `=` counts.
    quoted: bool,
}

// === impl Chars ===

impl Chars {
    /// Nothing before `at` is looked at.
    pub(crate) fn begin(&mut self, at: u64) {
        self.next = at;
    }

    /// Where in a text that begins at `base` it looks first.
    pub(crate) fn begins(&self, base: u64) -> usize {
        self.next.saturating_sub(base) as usize
    }

    pub(crate) fn feed(
        &mut self,
        window: &Window<'_>,
        (limits, above): (&Limits, Layers),
        look: &mut Look<'_>,
    ) {
        let mut at = self.begins(window.base);
        let reader = Reader {
            text: window.text,
            last: window.last,
            layers: limits.layers,
        };
        self.short = false;
        loop {
            if let Some(shown) = &mut self.shown {
                let (to, stop) = shown.run(&reader, at, (window.base, limits));
                at = to;
                let last = match stop {
                    Stop::End if window.last => Last::Text,
                    Stop::End => Last::No,
                    Stop::Short => {
                        self.short = true;
                        Last::No
                    }
                    Stop::Plain => Last::Window,
                };
                shown.view.show(window.trail, last, look);
                if last == Last::No {
                    break;
                }
                self.shown = None;
            }
            at = match reader.next(at) {
                Next::End => break,
                Next::At(at) => {
                    self.shown = Some(Box::new(Shown::at(at, window, (limits, above))));
                    at
                }
            };
        }
        if self.shown.is_none() {
            at = window.text.len();
        }
        self.next = window.base + at as u64;
    }

    pub(crate) fn open(&self) -> Option<u64> {
        let short = self.short.then_some(self.next);
        let shown = self.shown.as_ref().and_then(|shown| shown.view.open());
        [short, shown].into_iter().flatten().min()
    }

    pub(crate) fn first_source(&self) -> Option<u64> {
        self.shown.as_ref().map(|shown| shown.view.first_source())
    }
}

// === impl Shown ===

/// Why a text is not shown further.
enum Stop {
    /// It ends, for now.
    End,
    /// Nothing was decoded for a while.
    Plain,
    /// What is next is not all there.
    Short,
}

impl Shown {
    /// Shown from `at`, with what is before it.
    fn at(at: usize, window: &Window<'_>, (limits, above): (&Limits, Layers)) -> Self {
        let from = at.saturating_sub(CONTEXT.min(linger(limits)));
        let offset = window.base + from as u64;
        let mut view = Channel::new(above, limits);
        let wake = if offset == 0 {
            0
        } else {
            (at - from).min(LOOKBACK)
        };
        view.context(&window.text[from..at], offset, wake);
        view.decodes_from_here();
        Self {
            view,
            until: 0,
            quoted: false,
        }
    }

    /// Decodes from `at` on; says how far it came and why no further.
    fn run(
        &mut self,
        reader: &Reader<'_>,
        mut at: usize,
        (base, limits): (u64, &Limits),
    ) -> (usize, Stop) {
        let text = reader.text;
        let mut first = self.until == 0;
        loop {
            let end = match self.until.saturating_sub(base) as usize {
                _ if first => text.len(),
                end => end.min(text.len()).max(at),
            };
            let found = if first { at } else { reader.trigger(at, end) };
            self.view.same(&text[at..found], base + at as u64);
            at = found;
            if at >= end {
                let plain = !first && self.until <= base + at as u64;
                return (at, if plain { Stop::Plain } else { Stop::End });
            }
            let escapes = percent::bytes(&text[at..end.max(at)]);
            if reader.layers.contains(Layers::PERCENT) && escapes.clone().next().is_some() {
                let len = self
                    .view
                    .units(escapes, (base + at as u64, 3), Layers::PERCENT);
                at += len * 3;
                self.view.also(Layers::PERCENT);
                self.until = base + (at + linger(limits)) as u64;
                first = false;
                continue;
            }
            match reader.unit(at, self.quoted) {
                Unit::Short => return (at, Stop::Short),
                // What was short when this was begun is nothing to begin it for.
                Unit::Plain(_) | Unit::Coded { opens: false, .. } if first => {
                    return (at, Stop::Plain);
                }
                Unit::Plain(len) => {
                    self.view.same(&text[at..at + len], base + at as u64);
                    at += len;
                }
                Unit::Coded {
                    taken,
                    bytes,
                    layer,
                    opens,
                } => {
                    self.view
                        .unit(bytes.as_slice(), (base + at as u64, taken as u8), layer);
                    at += taken;
                    if opens {
                        self.view.also(layer);
                        self.quoted |= layer == Layers::QUOTED;
                        self.until = base + (at + linger(limits)) as u64;
                    }
                }
            }
            first = false;
        }
    }
}

/// Nothing in the block can begin a unit.
pub(crate) fn none_coded(block: &[u8; BLOCK], layers: Layers) -> bool {
    escapes(block, plus(layers)) == 0
}

/// What begins a unit beside what does everywhere.
fn plus(layers: Layers) -> u8 {
    if layers.contains(Layers::FORM) {
        b'+'
    } else {
        b'%'
    }
}

/// Never so short that the text before holds what was decoded.
fn linger(limits: &Limits) -> usize {
    limits.linger.max(LOOKBACK)
}

// === impl Short ===

impl Short {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let mut short = Self::default();
        for (to, from) in short.bytes.iter_mut().zip(bytes) {
            *to = *from;
            short.len += 1;
        }
        short
    }

    pub(crate) fn of_char(c: char) -> Self {
        Self::of(c.encode_utf8(&mut [0; 4]).as_bytes())
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

// === impl Reader ===

/// Reads units off a text.
#[derive(Clone, Copy, Debug)]
struct Reader<'a> {
    text: &'a [u8],
    last: bool,
    layers: Layers,
}

enum Next {
    At(usize),
    End,
}

impl Reader<'_> {
    /// The next place from where the text is worth showing decoded, or could be.
    fn next(&self, mut at: usize) -> Next {
        loop {
            at = self.trigger(at, self.text.len());
            // Han comes in masses, and stands for itself.
            if let Some([0xe4..=0xe9, 0x80..=0xbf, 0x80..=0xbf]) = self.text.get(at..at + 3) {
                at += 3;
                continue;
            }
            if at >= self.text.len() {
                return Next::End;
            }
            match self.unit(at, false) {
                Unit::Plain(len) => at += len,
                Unit::Coded {
                    opens: false,
                    taken,
                    ..
                } => at += taken,
                Unit::Short | Unit::Coded { opens: true, .. } => return Next::At(at),
            }
        }
    }

    /// The next byte that can begin a unit, or `end`.
    fn trigger(&self, at: usize, end: usize) -> usize {
        let plus = plus(self.layers);
        let Some(rest @ [first, ..]) = self.text.get(at..end) else {
            return end;
        };
        // Where one was, another often follows.
        if *first >= 0x80 || matches!(first, b'%' | b'&' | b'\\' | b'=') || *first == plus {
            return at;
        }
        let (blocks, tail) = rest.as_chunks();
        for (block, from) in blocks.iter().zip((at..).step_by(BLOCK)) {
            let found = escapes(block, plus);
            if found != 0 {
                return from + found.trailing_zeros() as usize;
            }
        }
        if tail.is_empty() {
            return end;
        }
        let found = escapes(&padded(tail), plus).trailing_zeros() as usize;
        end - tail.len() + found.min(tail.len())
    }

    fn unit(&self, at: usize, quoted: bool) -> Unit {
        let rest = &self.text[at..];
        let unit = match rest[0] {
            b'%' => percent::unit(rest),
            b'&' => entity::unit(rest, self.last),
            b'\\' => escape::unit(rest, self.last),
            b'=' => percent::quoted(rest, quoted),
            b'+' => Unit::coded(1, b" ", Layers::FORM),
            _ => unicode::unit(rest, self.text[..at].last().copied()),
        };
        match unit {
            Unit::Short if self.last => Unit::Plain(1),
            Unit::Coded { taken, layer, .. } if !self.layers.contains(layer) => Unit::Plain(taken),
            unit => unit,
        }
    }
}

// === impl Unit ===

impl Unit {
    pub(crate) fn coded(taken: usize, bytes: &[u8], layer: Layers) -> Self {
        Self::Coded {
            taken,
            bytes: Short::of(bytes),
            layer,
            opens: true,
        }
    }

    /// The character of that number.
    pub(crate) fn of_number(taken: usize, number: u32, layer: Layers) -> Self {
        match char::from_u32(number) {
            Some(c) => Self::Coded {
                taken,
                bytes: Short::of_char(c),
                layer,
                opens: true,
            },
            None => Self::Plain(1),
        }
    }
}

/// The number that hexadecimal digits say; `None` if one is none.
#[inline]
pub(crate) fn hex(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0_u32, |number, byte| {
        let digit = digit(*byte)?;
        number
            .checked_mul(16)
            .map(|number| number | u32::from(digit))
    })
}

/// What a hexadecimal digit says.
#[inline]
const fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// How many of the first `most` bytes `is` holds for.
pub(crate) fn count(bytes: &[u8], most: usize, is: impl Fn(&u8) -> bool) -> usize {
    iter::zip(bytes, 0..most)
        .take_while(|(byte, _)| is(byte))
        .count()
}

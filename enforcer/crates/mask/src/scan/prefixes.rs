//! Values that begin in a known way, found where words begin in long runs.

use std::ops::Range;

use enforcer_recognize::Wake;

use super::runs::solid;
use super::{Armed, Span};

/// How many bits tell beginnings apart.
const HEADS: usize = 1 << 15;

/// So many bytes are asked at once whether a word ends among them.
const BLOCK: usize = 16;

/// Beginnings, by their first three bytes.
#[derive(Debug)]
pub(super) struct Prefixes {
    /// One bit for each three bytes with which one begins, mixed.
    heads: Box<[u64; HEADS / 64]>,
    entries: Vec<(&'static [u8], Armed)>,
}

impl Prefixes {
    pub(super) fn new(armed: &[Armed]) -> Self {
        let mut entries: Vec<(&'static [u8], Armed)> = Vec::new();
        for armed in armed {
            for wake in armed.detector.wake {
                if let Wake::Prefix(prefix) = wake {
                    entries.push((prefix.as_bytes(), *armed));
                }
            }
        }
        entries.sort_by_key(|(prefix, _)| *prefix);
        let mut heads = Box::new([0; HEADS / 64]);
        let mut add = |head: [u8; 3]| {
            let place = mixed(head);
            heads[place / 64] |= 1 << (place % 64);
        };
        for (prefix, _) in &entries {
            match **prefix {
                [one, two, three, ..] => add([one, two, three]),
                [one, two] => (0..=u8::MAX).for_each(|three| add([one, two, three])),
                // Said of every text; nobody asks for that.
                [_] | [] => {}
            }
        }
        Self { heads, entries }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Those that stand whole in `range`.
    pub(super) fn within(
        &self,
        text: &[u8],
        range: Range<usize>,
        see: &mut impl FnMut(Armed, usize),
    ) {
        let Range { start, end } = range;
        for at in start..end.min(start + 2) {
            if begins(text, at) {
                self.at(text, at, |armed| see(armed, at));
            }
        }
        // No escape begins within a run.
        let Some(rest) = text.get(start + 1..end.saturating_sub(1)) else {
            return;
        };
        for (from, block) in (start + 2..).step_by(BLOCK).zip(rest.chunks(BLOCK)) {
            if block.iter().fold(true, |all, byte| all & solid(*byte)) {
                continue;
            }
            for (at, before) in (from..).zip(block) {
                if !solid(*before) {
                    self.at(text, at, |armed| see(armed, at));
                }
            }
        }
    }

    /// Those that stand whole at `at`.
    #[inline]
    pub(super) fn at(&self, text: &[u8], at: usize, see: impl FnMut(Armed)) {
        let Some([one, two, three]) = text.get(at..at + 3) else {
            // Some are two bytes long.
            self.whole(text, at, 0, see);
            return;
        };
        let place = mixed([*one, *two, *three]);
        if self.heads[place / 64] & 1 << (place % 64) != 0 {
            self.whole(text, at, 0, see);
        }
    }

    /// Those that stand whole at `at` only since the text is known beyond `span.from`.
    pub(super) fn again(&self, span: Span<'_>, at: usize, see: impl FnMut(Armed)) {
        let Span { text, from, .. } = span;
        if begins(text, at) {
            self.whole(text, at, from, see);
        }
    }

    #[cold]
    fn whole(&self, text: &[u8], at: usize, beyond: usize, mut see: impl FnMut(Armed)) {
        let rest = text.get(at..).unwrap_or_default();
        let Some(first) = rest.first() else { return };
        let low = self
            .entries
            .partition_point(|(prefix, _)| prefix.first() < Some(first));
        for (prefix, armed) in &self.entries[low..] {
            if prefix.first() != Some(first) {
                break;
            }
            if at + prefix.len() > beyond && rest.starts_with(prefix) {
                see(*armed);
            }
        }
    }
}

#[inline]
const fn mixed(head: [u8; 3]) -> usize {
    let [one, two, three] = head;
    let bytes = one as u32 | (two as u32) << 8 | (three as u32) << 16;
    (bytes.wrapping_mul(0x9E37_79B1) >> 17) as usize
}

/// No letter or digit stands before, or only the letter of an escape.
fn begins(text: &[u8], at: usize) -> bool {
    match text.get(..at).unwrap_or_default() {
        [.., b'\\', b'n' | b'r' | b't'] => true,
        [.., before] => !before.is_ascii_alphanumeric(),
        [] => true,
    }
}

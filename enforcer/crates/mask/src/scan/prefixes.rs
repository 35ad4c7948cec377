//! Values that begin in a known way, found where words begin.

use enforcer_recognize::Wake;

use super::{Armed, Span};

/// Beginnings, by their first two bytes.
#[derive(Debug)]
pub(super) struct Prefixes {
    /// By the first byte: the second bytes that may follow, one bit each.
    pairs: Box<[[u64; 4]; 256]>,
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
        let mut pairs = Box::new([[0; 4]; 256]);
        for (prefix, _) in &entries {
            match prefix {
                [first, second, ..] => {
                    pairs[usize::from(*first)][usize::from(second / 64)] |= 1 << (second % 64);
                }
                [first] => pairs[usize::from(*first)] = [u64::MAX; 4],
                [] => {}
            }
        }
        Self { pairs, entries }
    }

    /// Those that stand whole at `at`, where a word begins.
    #[inline]
    pub(super) fn at(&self, text: &[u8], at: usize, see: impl FnMut(Armed)) {
        let (Some(first), Some(second)) = (text.get(at), text.get(at + 1)) else {
            return;
        };
        if self.pairs[usize::from(*first)][usize::from(second / 64)] & 1 << (second % 64) != 0 {
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

/// No letter or digit stands before, or only the letter of an escape.
fn begins(text: &[u8], at: usize) -> bool {
    match text.get(..at).unwrap_or_default() {
        [.., b'\\', b'n' | b'r' | b't'] => true,
        [.., before] => !before.is_ascii_alphanumeric(),
        [] => true,
    }
}

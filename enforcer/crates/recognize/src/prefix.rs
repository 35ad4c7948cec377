//! Where in a text values begin that begin in a known way.

use crate::{Detector, Wake, shapes};

/// How many bits tell beginnings apart.
const HEADS: usize = 1 << 15;

/// The beginnings that detectors wait for ([`Wake::Prefix`]), by their first three bytes.
///
/// A beginning counts where no letter or digit stands before it; the letter of an escape (`\n`, `\t`) is none.
#[derive(Debug)]
pub struct Prefixes {
    /// One bit for each three bytes with which one begins, mixed.
    heads: Box<[u64; HEADS / 64]>,
    /// By the first byte, one bit a second byte, of which six bits count.
    pairs: Box<[u64; 256]>,
    entries: Vec<(&'static [u8], &'static Detector)>,
}

impl Prefixes {
    /// Of these detectors; those that wait for none are left out.
    pub fn new(detectors: impl IntoIterator<Item = &'static Detector>) -> Self {
        let mut entries: Vec<(&'static [u8], &'static Detector)> = Vec::new();
        for detector in detectors {
            for wake in detector.wake {
                if let Wake::Prefix(prefix) = wake {
                    entries.push((prefix.as_bytes(), detector));
                }
            }
        }
        // Stable: detectors of one beginning keep their order.
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
        let mut pairs = Box::new([0; 256]);
        for (prefix, _) in &entries {
            match **prefix {
                [one, two, ..] => pairs[usize::from(one)] |= 1 << (two & 63),
                [one] => pairs[usize::from(one)] = u64::MAX,
                [] => {}
            }
        }
        Self {
            heads,
            pairs,
            entries,
        }
    }

    /// No detector waits for any.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// A beginning may stand at the start of `text`, or of what begins with it.
    #[must_use]
    #[inline]
    pub fn may_begin(&self, text: &[u8]) -> bool {
        match text {
            [one, two, ..] => self.pairs[usize::from(*one)] >> (two & 63) & 1 != 0,
            [_] | [] => true,
        }
    }

    /// Each detector that waits for a beginning which stands at `at`, and reaches beyond `beyond`.
    #[inline]
    pub fn at(
        &self,
        text: &[u8],
        (at, beyond): (usize, usize),
        see: impl FnMut(&'static Detector),
    ) {
        let may = match text.get(at..).and_then(<[u8]>::first_chunk) {
            Some(head) => {
                let place = mixed(*head);
                self.heads[place / 64] >> (place % 64) & 1 != 0
            }
            // Some are two bytes long.
            None => true,
        };
        if may && begins(text, at) {
            self.whole(text, (at, beyond), see);
        }
    }

    #[cold]
    fn whole(
        &self,
        text: &[u8],
        (at, beyond): (usize, usize),
        mut see: impl FnMut(&'static Detector),
    ) {
        let rest = text.get(at..).unwrap_or_default();
        let Some(first) = rest.first() else { return };
        let low = self
            .entries
            .partition_point(|(prefix, _)| prefix.first() < Some(first));
        for (prefix, detector) in &self.entries[low..] {
            if prefix.first() != Some(first) {
                break;
            }
            if at + prefix.len() > beyond && rest.starts_with(prefix) {
                see(detector);
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
    let before = at.checked_sub(1).and_then(|index| text.get(index));
    !before.is_some_and(u8::is_ascii_alphanumeric) || shapes::after_escape(text, at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Family, Look, Sight};

    fn nothing(_: &Look<'_>) -> Sight {
        Sight::Nothing
    }

    static ONE: Detector = Detector {
        name: "one",
        family: Family::Secret,
        wake: &[Wake::Prefix("ab_"), Wake::Prefix("abc"), Wake::Prefix("QZ")],
        longest: 8,
        recognise: nothing,
        examples: &[],
    };
    static TWO: Detector = Detector {
        name: "two",
        wake: &[Wake::Prefix("ab_"), Wake::At],
        ..ONE
    };

    fn seen(text: &str, beyond: usize) -> Vec<(usize, &'static str)> {
        let mut seen = Vec::new();
        let prefixes = Prefixes::new([&ONE, &TWO]);
        for at in 0..text.len() {
            prefixes.at(text.as_bytes(), (at, beyond), |detector| {
                seen.push((at, detector.name));
            });
        }
        seen
    }

    #[test]
    fn a_beginning_wakes_all_that_wait_for_it_and_only_behind_no_letter() {
        assert_eq!(
            seen("ab_ xab_ =abc \\nab_ QZ7 QZ", 0),
            [
                (0, "one"),
                (0, "two"),
                (10, "one"),
                (16, "one"),
                (16, "two"),
                (20, "one"),
                (24, "one")
            ]
        );
        assert_eq!(seen("x ab", 0), []);
        assert_eq!(seen("", 0), []);
    }

    #[test]
    fn what_may_begin_is_told_by_two_bytes() {
        let prefixes = Prefixes::new([&ONE, &TWO]);
        for text in ["ab", "abx", "QZ", "a", ""] {
            assert!(prefixes.may_begin(text.as_bytes()), "{text}");
        }
        for text in ["ba", "Qz", "xab"] {
            assert!(!prefixes.may_begin(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn what_was_known_before_is_not_told_again() {
        assert_eq!(seen("ab_ abc", 3), [(4, "one")]);
        assert_eq!(seen("ab_", 2), [(0, "one"), (0, "two")]);
    }
}

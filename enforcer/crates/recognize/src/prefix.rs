//! Where in a text values begin that begin in a known way.

use crate::{Detector, Wake};

/// The beginnings that detectors wait for ([`Wake::Prefix`]), found in one pass.
///
/// A beginning counts where no letter or digit stands before it; the letter of an escape (`\n`, `\t`) is none.
#[derive(Debug)]
pub struct Prefixes {
    /// By the first byte: where its entries lie.
    first: [(u16, u16); 256],
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
        // Stable: detectors of one prefix keep their order.
        entries.sort_by_key(|(prefix, _)| *prefix);
        let mut first = [(0, 0); 256];
        for (place, (prefix, _)) in (0u16..).zip(&entries) {
            let Some(byte) = prefix.first() else { continue };
            let (from, to) = &mut first[usize::from(*byte)];
            if *to == 0 {
                *from = place;
            }
            *to = place + 1;
        }
        Self { first, entries }
    }

    /// No detector waits for any.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The first place in `from..to` where a beginning stands, and each detector that waits for it is told to `see`,
    /// which ends the search by answering `true`. A text that is not `last` may end within a beginning: that counts too.
    pub fn each(
        &self,
        text: &[u8],
        (from, to, last): (usize, usize, bool),
        mut see: impl FnMut(usize, &'static Detector) -> bool,
    ) {
        let mut joined = from > 0 && text.get(from - 1).is_some_and(u8::is_ascii_alphanumeric);
        for (at, byte) in text.iter().enumerate().take(to).skip(from) {
            let (low, high) = self.first[usize::from(*byte)];
            if low < high && (!joined || escaped(text, at)) {
                let rest = &text[at..];
                for (prefix, detector) in &self.entries[usize::from(low)..usize::from(high)] {
                    let stands = rest.starts_with(prefix) || (!last && prefix.starts_with(rest));
                    if stands && see(at, detector) {
                        return;
                    }
                }
            }
            joined = byte.is_ascii_alphanumeric();
        }
    }
}

/// The byte before is the letter of an escape.
fn escaped(text: &[u8], at: usize) -> bool {
    at >= 2 && text[at - 2] == b'\\' && matches!(text[at - 1], b'n' | b't' | b'r')
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
        wake: &[Wake::Prefix("ab_"), Wake::Prefix("abc")],
        longest: 8,
        recognise: nothing,
        examples: &[],
    };
    static TWO: Detector = Detector {
        name: "two",
        wake: &[Wake::Prefix("ab_"), Wake::At],
        ..ONE
    };

    fn seen(text: &str, last: bool) -> Vec<(usize, &'static str)> {
        let mut seen = Vec::new();
        Prefixes::new([&ONE, &TWO]).each(text.as_bytes(), (0, text.len(), last), |at, detector| {
            seen.push((at, detector.name));
            false
        });
        seen
    }

    #[test]
    fn a_beginning_wakes_all_that_wait_for_it_and_only_behind_no_letter() {
        assert_eq!(
            seen("ab_ xab_ =abc \\nab_", true),
            [
                (0, "one"),
                (0, "two"),
                (10, "one"),
                (16, "one"),
                (16, "two")
            ]
        );
        assert_eq!(seen("x ab", true), []);
        assert_eq!(seen("", false), []);
    }

    #[test]
    fn a_text_may_end_within_a_beginning() {
        assert_eq!(seen("x ab", false), [(2, "one"), (2, "two"), (2, "one")]);
        assert_eq!(seen("x ad", false), []);
    }
}

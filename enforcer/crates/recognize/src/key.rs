//! Which words before a value say what it is.

use crate::{Detector, Wake};

/// What stands further before an assignment does not count.
const NEAR: usize = 64;

/// The words that detectors wait for ([`Wake::Key`]).
#[derive(Debug)]
pub struct Keys {
    /// By the last letter: where its entries lie.
    last: [(u16, u16); 256],
    /// By the last letter's five bits, one bit for those of the one before it.
    ends: [u32; 32],
    /// By the words read backwards.
    entries: Vec<(Vec<u8>, &'static Detector)>,
}

impl Keys {
    /// Of these detectors; those that wait for none are left out.
    pub fn new(detectors: impl IntoIterator<Item = &'static Detector>) -> Self {
        let mut entries: Vec<(Vec<u8>, &'static Detector)> = Vec::new();
        for detector in detectors {
            for wake in detector.wake {
                if let Wake::Key(word) = wake {
                    entries.push((word.bytes().rev().collect(), detector));
                }
            }
        }
        entries.sort_by(|(one, _), (two, _)| one.cmp(two));
        let mut last = [(0, 0); 256];
        for (place, (word, _)) in (0u16..).zip(&entries) {
            let Some(letter) = word.first() else { continue };
            let (from, to) = &mut last[usize::from(*letter)];
            if *to == 0 {
                *from = place;
            }
            *to = place + 1;
        }
        let mut ends = [0; 32];
        for (word, _) in &entries {
            match word.as_slice() {
                [last, before, ..] => ends[usize::from(last & 31)] |= 1 << (before & 31),
                [last] => ends[usize::from(last & 31)] = u32::MAX,
                [] => {}
            }
        }
        Self {
            last,
            ends,
            entries,
        }
    }

    /// No detector waits for any.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Each detector that waits for the word to which the `=` or `:` at `at` assigns; one that waits for several ends of
    /// the word comes once.
    #[inline]
    pub fn each(&self, text: &[u8], at: usize, see: impl FnMut(&'static Detector)) {
        // Most words stand directly before it, or in quotes.
        let quoted = text[..at].strip_suffix(b"\"").unwrap_or(&text[..at]);
        if !quoted.last().is_some_and(u8::is_ascii_alphanumeric) || self.may_end(quoted) {
            self.near(text, at, see);
        }
    }

    #[inline(never)]
    fn near(&self, text: &[u8], at: usize, see: impl FnMut(&'static Detector)) {
        let near = &text[at.saturating_sub(NEAR)..at];
        let word = &near[..word_end(near)];
        if self.may_end(word) {
            self.ending(word.iter().rev().copied(), see);
        }
    }

    /// Each detector that waits for a field of this name.
    pub fn of_field(&self, name: &str, see: impl FnMut(&'static Detector)) {
        if self.may_end(name.as_bytes()) {
            self.ending(name.bytes().rev(), see);
        }
    }

    /// Most words end with two letters with which none ends that somebody waits for.
    #[inline]
    fn may_end(&self, word: &[u8]) -> bool {
        match word {
            [.., before, last] if !joint(*last) && !joint(*before) => {
                self.ends[usize::from(last & 31)] >> (before & 31) & 1 != 0
            }
            [last] if !joint(*last) => self.ends[usize::from(last & 31)] == u32::MAX,
            _ => !word.is_empty(),
        }
    }

    fn ending(
        &self,
        backwards: impl Iterator<Item = u8> + Clone,
        mut see: impl FnMut(&'static Detector),
    ) {
        let letters = backwards
            .take_while(|byte| in_word(*byte))
            .filter(|byte| !joint(*byte));
        let letters = letters.map(|byte| byte.to_ascii_lowercase());
        let Some(last) = letters.clone().next() else {
            return;
        };
        let (low, high) = self.last[usize::from(last)];
        let entries = &self.entries[usize::from(low)..usize::from(high)];
        for (place, (word, detector)) in entries.iter().enumerate() {
            let mut rest = letters.clone();
            let told = |(before, known): &(Vec<u8>, &'static Detector)| {
                std::ptr::eq(*known, *detector)
                    && letters
                        .clone()
                        .take(before.len())
                        .eq(before.iter().copied())
            };
            if word.iter().all(|letter| rest.next() == Some(*letter))
                && !entries[..place].iter().any(told)
            {
                see(detector);
            }
        }
    }
}

/// The word that stands before an assignment ends here: before blanks, quotes (also escaped ones) and `]`.
pub(crate) fn word_end(near: &[u8]) -> usize {
    near.iter()
        .rposition(|byte| !matches!(byte, b' ' | b'\t' | b'"' | b'\'' | b'\\' | b'`' | b']'))
        .map_or(0, |last| last + 1)
}

/// A byte of a word that names a value.
pub(crate) fn in_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || joint(byte)
}

/// What holds the parts of a word together and says nothing.
pub(crate) fn joint(byte: u8) -> bool {
    matches!(byte, b'_' | b'-' | b'.')
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
        wake: &[Wake::Key("key"), Wake::Key("apikey"), Wake::Key("token")],
        longest: 8,
        recognise: nothing,
        examples: &[],
    };
    static TWO: Detector = Detector {
        name: "two",
        wake: &[Wake::Key("accesskey")],
        ..ONE
    };

    fn seen(text: &str) -> Vec<&'static str> {
        let mut seen = Vec::new();
        let at = text.rfind(['=', ':']).unwrap_or(text.len());
        Keys::new([&ONE, &TWO]).each(text.as_bytes(), at, |detector| seen.push(detector.name));
        seen
    }

    #[test]
    fn a_word_wakes_by_its_end_however_it_is_written() {
        for text in [
            "API_KEY=",
            "{\"x-api-key\" : 1",
            "apiKey:",
            "\\\"key\\\": ",
            "cfg['a.token'] = ",
            "key=",
        ] {
            assert_eq!(seen(text), ["one"], "{text}");
        }
        assert_eq!(seen("awsAccessKey="), ["one", "two"]);
    }

    #[test]
    fn other_words_wake_nobody() {
        for text in ["=", ":", "key_id=", "tokens:", "monke y=", "a) ="] {
            assert_eq!(seen(text), [] as [&str; 0], "{text}");
        }
    }

    #[test]
    fn a_field_wakes_by_the_end_of_its_name() {
        let mut seen = Vec::new();
        Keys::new([&ONE, &TWO]).of_field("X-Access-Key", |detector| seen.push(detector.name));
        assert_eq!(seen, ["one", "two"]);
    }
}

//! Runs of bytes of one sort, and of words.

/// How many words make a run, and how long each of them is.
const WORDS: usize = 12;
const SHORTEST: usize = 3;
pub(super) const LONGEST: usize = 8;
/// At least so many bytes has a run.
pub(super) const RUN: usize = WORDS * (SHORTEST + 1) - 1;
/// How much of a tail may turn out to belong to a value that is woken behind it, and how much before the place where a
/// detector is woken can belong to its value.
const LOCAL: usize = 64;

/// A byte that may belong to a value that is recognised by something behind it.
#[inline]
fn near(byte: u8) -> bool {
    // Two-byte letters (Latin, Greek, Cyrillic) are part of words as those of ASCII are.
    matches!(byte, b'!' | b'#'..=b'\'' | b'*'..=b'+' | b'-'..=b':' | b'=' | b'?' | b'A'..=b'Z' | b'^'..=b'~' | 0x80..=0xcf)
}

/// Where what belongs to the end of `text` begins, `further` bytes further back at most than what can belong to a value.
pub(crate) fn local(text: &[u8], further: usize) -> usize {
    let run = text.iter().rev().take(LOCAL + further);
    text.len() - run.take_while(|byte| near(**byte)).count()
}

/// A run of words with single blanks between them, and perhaps one behind it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WordRun {
    pub(crate) bytes: usize,
    pub(crate) words: usize,
    /// Where its last word begins.
    pub(crate) last: usize,
}

impl WordRun {
    /// There may be a phrase in it.
    pub(super) fn is_long(&self) -> bool {
        self.words >= WORDS
    }
}

/// The run that begins with `text`, of which `open` says that it goes on where it ends.
pub(crate) fn word_run(text: &[u8], open: bool) -> WordRun {
    let mut run = WordRun {
        bytes: 0,
        words: 0,
        last: 0,
    };
    loop {
        let rest = text.get(run.bytes..).unwrap_or_default();
        let letters = letters(rest);
        let unfinished = letters == rest.len() && open;
        if letters == 0 || letters > LONGEST || letters < SHORTEST && !unfinished {
            return run;
        }
        run.last = run.bytes;
        run.bytes += letters;
        run.words += 1;
        if rest.get(letters) != Some(&b' ') {
            return run;
        }
        run.bytes += 1;
    }
}

/// How many small letters `text` begins with, as far as they make a word; one more where they are too many.
#[inline]
fn letters(text: &[u8]) -> usize {
    let small = |byte: &u8| byte.is_ascii_lowercase();
    let Some(first) = text.first_chunk() else {
        return text.iter().take_while(|byte| small(byte)).count();
    };
    match others(u64::from_le_bytes(*first)) {
        0 => LONGEST + usize::from(text.get(LONGEST).is_some_and(small)),
        others => others.trailing_zeros() as usize / 8,
    }
}

/// The highest bits of those bytes that are no small letters.
#[inline]
const fn others(bytes: u64) -> u64 {
    const { assert!(LONGEST == 8, "a word is read at once") };
    let (ones, highest) = (u64::MAX / 0xff, u64::MAX / 0xff * 0x80);
    let low = bytes & !highest;
    // What is no less than the first, and what is greater than the last, gets the highest bit.
    let from = low + ones * (0x80 - b'a' as u64);
    let beyond = low + ones * (0x7f - b'z' as u64);
    (!from | beyond | bytes) & highest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_end_before_any_other_byte() {
        for byte in 0..=u8::MAX {
            for at in 0..10 {
                let mut text = [b'q'; 10];
                text[at] = byte;
                let more = if byte.is_ascii_lowercase() { 10 } else { at };
                assert_eq!(letters(&text), more.min(LONGEST + 1), "{byte} at {at}");
                assert_eq!(letters(&text[..6]), more.min(6), "{byte} at {at}");
            }
        }
    }
}

//! Long runs of bytes of one sort, found by looking at a few of their bytes and growing both ways.

use super::Span;

/// How many words make a run, and how long each of them is.
const WORDS: usize = 12;
const SHORTEST: usize = 3;
const LONGEST: usize = 8;
/// At least so many bytes has a run.
pub(super) const RUN: usize = WORDS * (SHORTEST + 1) - 1;
/// How much of a tail may turn out to belong to a value that is woken behind it, and how much before the place where a
/// detector is woken can belong to its value.
const LOCAL: usize = 64;

static TOKEN: [bool; 256] = {
    let mut own = [false; 256];
    let mut byte = 0;
    while byte < 0x80 {
        let plain = byte as u8;
        own[byte] = plain.is_ascii_alphanumeric()
            || matches!(plain, b'_' | b'-' | b'.' | b'+' | b'/' | b'=');
        byte += 1;
    }
    own
};

/// A byte of a run that wakes `Wake::Token`.
#[inline]
pub(super) fn token(byte: u8) -> bool {
    TOKEN[usize::from(byte)]
}

/// A byte of a run that wakes `Wake::Solid`.
#[inline]
pub(super) fn solid(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

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

/// A long run, or what came to one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    pub(super) start: usize,
    pub(super) end: usize,
    /// It was not told before.
    pub(super) begins: bool,
}

/// Tells of each run of at least `LEAST` bytes that reached this length behind `from`, and of what came to one that was
/// told before.
#[inline]
pub(super) fn long<const LEAST: usize>(
    span: Span<'_>,
    of: impl Fn(u8) -> bool + Copy,
    mut see: impl FnMut(Run),
    nobody: bool,
) {
    let Span { text, from, .. } = span;
    if nobody {
        return;
    }
    if text.len() < LEAST {
        return;
    }
    let back = text[..from]
        .iter()
        .rev()
        .take(LEAST)
        .take_while(|byte| of(**byte))
        .count();
    let mut at = from - back;
    if back == LEAST {
        // Told before: on to its end.
        at = end(text, from, of);
        see(Run {
            start: from,
            end: at,
            begins: false,
        });
    }
    let mut floor = at;
    // Any run of that length has a byte at one of these places.
    at += LEAST - 1;
    while at < text.len() {
        if !of(text[at]) {
            floor = at + 1;
            at += LEAST;
            continue;
        }
        let start = text[floor..at]
            .iter()
            .rposition(|byte| !of(*byte))
            .map_or(floor, |last| floor + last + 1);
        let end = end(text, at, of);
        if end - start >= LEAST {
            see(Run {
                start,
                end,
                begins: true,
            });
        }
        floor = end;
        at = end + LEAST;
    }
}

#[inline]
fn end(text: &[u8], from: usize, of: impl Fn(u8) -> bool) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    from + rest
        .iter()
        .position(|byte| !of(*byte))
        .unwrap_or(rest.len())
}

/// Tells of the first byte of each run of at least twelve words of three to eight small letters with single blanks between
/// them, and of a shorter one that ends an unfinished text, if it begins at or behind `from`.
pub(super) fn words(span: Span<'_>, mut see: impl FnMut(usize)) {
    let Span { text, from, last } = span;
    let mut at = from;
    if from
        .checked_sub(1)
        .is_some_and(|before| text[before].is_ascii_lowercase())
    {
        // The rest of a word of which no run can be.
        at = past_letters(text, from);
    }
    while at + RUN <= text.len() {
        // Mostly, something soon before the end of the shortest run that could begin here breaks it.
        if let Some(broken) = last_break(&text[at..at + RUN]) {
            at += broken;
            if text[at - 1].is_ascii_lowercase() {
                at = past_letters(text, at);
            }
            continue;
        }
        let run = word_run(&text[at..], true);
        if run.words >= WORDS {
            see(at);
        }
        if at + run.bytes == text.len() && !last {
            if run.words < WORDS && run.words > 0 {
                see(at);
            }
            return;
        }
        at += run.bytes.max(1);
    }
    while at < text.len() && !last {
        let run = word_run(&text[at..], true);
        if at + run.bytes == text.len() {
            if run.words > 0 {
                see(at);
            }
            return;
        }
        at = past_word(text, at + run.bytes);
    }
}

/// Behind the last byte or word that no run can have; none where there is none.
fn last_break(window: &[u8]) -> Option<usize> {
    let of_words = |byte: &u8| byte.is_ascii_lowercase() || *byte == b' ';
    let from = window
        .iter()
        .rposition(|byte| !of_words(byte))
        .map_or(0, |last| last + 1);
    let mut end = window.len();
    for at in (from..window.len()).rev() {
        if window[at] != b' ' {
            if end - at > LONGEST {
                return Some(at + 1);
            }
            continue;
        }
        if end < window.len() && end - at - 1 < SHORTEST {
            return Some(end + 1);
        }
        end = at;
    }
    (from > 0).then_some(from)
}

/// Behind the letters that stand at `at`.
fn past_letters(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + rest
        .iter()
        .take_while(|byte| byte.is_ascii_lowercase())
        .count()
}

/// Behind what broke a run at `at`: a word, or one byte.
fn past_word(text: &[u8], at: usize) -> usize {
    past_letters(text, at).max(at + 1)
}

/// A run of words with single blanks between them, and perhaps one behind it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WordRun {
    pub(crate) bytes: usize,
    pub(crate) words: usize,
    /// Where its last word begins.
    pub(crate) last: usize,
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
        let letters = rest
            .iter()
            .take(LONGEST + 1)
            .take_while(|byte| byte.is_ascii_lowercase())
            .count();
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

//! Long runs of bytes of one sort, found by looking at a few of their bytes and growing both ways.

use super::Span;

/// At least so many bytes has a run of twelve words, at the very least.
const WORDS_STEP: usize = 16;
/// How many words make a run.
const WORDS: usize = 12;
/// How much of a tail may turn out to belong to a value that is woken behind it, and how much before the place where a
/// detector is woken can belong to its value.
const LOCAL: usize = 64;

/// A byte of a run that wakes `Wake::Token`.
#[inline]
pub(super) fn token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'+' | b'/' | b'=')
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

/// Tells of the first byte of each run of at least `LEAST` bytes that reached this length behind `from`.
#[inline]
pub(super) fn long<const LEAST: usize>(
    span: Span<'_>,
    of: impl Fn(u8) -> bool + Copy,
    mut see: impl FnMut(usize),
    nobody: bool,
) {
    let Span { text, from, .. } = span;
    if nobody {
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
            see(start);
        }
        floor = end;
        at = end + LEAST;
    }
}

fn end(text: &[u8], from: usize, of: impl Fn(u8) -> bool) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    from + rest
        .iter()
        .position(|byte| !of(*byte))
        .unwrap_or(rest.len())
}

/// Tells of the first byte of each run of at least twelve words of small letters, and of a shorter one that ends the text,
/// if it begins at or behind `from`.
pub(super) fn words(span: Span<'_>, mut see: impl FnMut(usize)) {
    let Span { text, from, last } = span;
    let mut at = from;
    if in_run(text, from) {
        // It began before: whoever was woken goes through it.
        at += word_run(&text[from..]).bytes;
    }
    let tail = tail_run(text).max(at);
    while at < tail {
        // A run of twelve words covers eight bytes behind one of these places.
        let Some(eight) = text.get(at + WORDS_STEP - 1..at + WORDS_STEP + 7) else {
            break;
        };
        if !eight
            .iter()
            .all(|byte| byte.is_ascii_lowercase() || *byte == b' ')
        {
            at += WORDS_STEP;
            continue;
        }
        let start = run_start(text, at + WORDS_STEP - 1, at);
        let run = word_run(&text[start..]);
        if run.words >= WORDS && start < tail {
            see(start);
        }
        at = (start + run.bytes).max(at + 1);
    }
    if tail < text.len() && (!last || word_run(&text[tail..]).words >= WORDS) && !in_run(text, tail)
    {
        see(tail);
    }
}

/// A run of words of small letters with single blanks between them, and perhaps one behind it where the text ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WordRun {
    pub(crate) bytes: usize,
    pub(crate) words: usize,
    /// Where its last word begins.
    pub(crate) last: usize,
}

/// The run that begins with `text`.
pub(crate) fn word_run(text: &[u8]) -> WordRun {
    let mut run = WordRun {
        bytes: 0,
        words: 0,
        last: 0,
    };
    let mut before = b' ';
    for byte in text {
        match byte {
            b'a'..=b'z' => {
                if before == b' ' {
                    run.words += 1;
                    run.last = run.bytes;
                }
            }
            b' ' if before != b' ' => {}
            _ => break,
        }
        run.bytes += 1;
        before = *byte;
    }
    run
}

/// Whether what begins at `at` goes on with a run.
fn in_run(text: &[u8], at: usize) -> bool {
    match text.get(..at).unwrap_or_default() {
        [.., one, b' '] => one.is_ascii_lowercase(),
        [.., one] => one.is_ascii_lowercase(),
        [] => false,
    }
}

/// Where the run begins in which `at` stands, not before `floor`.
fn run_start(text: &[u8], at: usize, floor: usize) -> usize {
    let mut start = at;
    while start > floor {
        let (byte, behind) = (text[start - 1], text[start]);
        if !(byte.is_ascii_lowercase() || byte == b' ' && behind != b' ') {
            break;
        }
        start -= 1;
    }
    while start < text.len() && text[start] == b' ' {
        start += 1;
    }
    start
}

/// Where the run begins that ends the text; the text's end if there is none.
fn tail_run(text: &[u8]) -> usize {
    let Some(last) = text.len().checked_sub(1) else {
        return 0;
    };
    let closes = |byte: u8| byte.is_ascii_lowercase() || byte == b' ';
    if !closes(text[last]) || text.ends_with(b"  ") {
        return text.len();
    }
    run_start(text, last, 0)
}

/// A word stands before, perhaps with a closing quote and blanks behind it.
pub(super) fn behind_word(before: &[u8]) -> bool {
    let before = before.trim_ascii_end();
    let quoted = before.strip_suffix(b"\"").or(before.strip_suffix(b"'"));
    quoted
        .unwrap_or(before)
        .last()
        .is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
}

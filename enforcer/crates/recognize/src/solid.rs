//! What a long run of letters and digits looks like from outside, so that only those detectors are woken that it can concern.

use crate::shapes;

/// Longer runs are not told apart.
const MOST: usize = 128;

/// How the runs begin and how long they are that concern a detector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Solid {
    /// One bit a byte of ASCII.
    first: u128,
    least: usize,
    most: usize,
}

/// A run of letters and digits as far as it is known; the letter of an escape before it is no part of it.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    first: Option<u8>,
    length: usize,
    /// The text ends with it, and may go on.
    open: bool,
}

impl Solid {
    /// Runs of so many bytes, at least and at most, that begin in one of these ways.
    #[must_use]
    pub const fn of(begins: &[&[u8]], (least, most): (usize, usize)) -> Self {
        let mut first = 0;
        let mut next = 0;
        while next < begins.len() {
            first |= 1 << begins[next][0];
            next += 1;
        }
        Self { first, least, most }
    }

    /// Runs of so many bytes, however they begin.
    #[must_use]
    pub const fn any((least, most): (usize, usize)) -> Self {
        let first = u128::MAX;
        Self { first, least, most }
    }

    /// The run can be one of them.
    #[must_use]
    pub fn fits(self, run: &Run) -> bool {
        let long = run.length <= self.most && (run.open || run.length >= self.least);
        long && run.first.is_none_or(|first| self.first >> first & 1 != 0)
    }
}

impl Run {
    /// The run that begins at `at`.
    #[must_use]
    pub fn at(text: &[u8], at: usize, last: bool) -> Self {
        let rest = text.get(begin(text, at)..).unwrap_or_default();
        let length = length(rest);
        Self {
            first: rest[..length].first().copied(),
            length,
            open: length == rest.len() && !last,
        }
    }
}

/// How long the run is with which `text` begins, told in a way that compiles to vectors.
fn length(text: &[u8]) -> usize {
    let known = &text[..text.len().min(MOST)];
    let whole = known.chunks_exact(16).take_while(|part| {
        let solid = part.iter().map(|byte| byte.is_ascii_alphanumeric());
        solid.fold(true, |all, solid| all & solid)
    });
    let from = whole.count() * 16;
    let rest = known[from..].iter();
    from + rest.take_while(|byte| byte.is_ascii_alphanumeric()).count()
}

/// Where what begins at `at` begins: behind the letter of an escape.
#[inline]
pub(crate) fn begin(text: &[u8], at: usize) -> usize {
    at + usize::from(shapes::after_escape(text, at + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_fits_by_its_first_byte_and_its_length() {
        let solid = Solid::of(&[b"ab", b"Z"], (3, 5));
        let fits = |text: &str, at, last| solid.fits(&Run::at(text.as_bytes(), at, last));
        assert!(fits("abc", 0, true) && fits("Zabcd ", 0, true) && fits("x\\nabc", 3, true));
        assert!(fits("a", 0, false) && fits("\\n", 1, false));
        for text in ["xbc", "ab", "ab ", "abcdef"] {
            assert!(!fits(text, 0, true), "{text}");
        }
        assert!(!fits("abcdef", 0, false) && !fits("x", 0, false) && !fits("a ", 0, false));
    }
}

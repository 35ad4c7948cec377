//! Tokens that begin in a known way.

use super::alphabet::Alphabet;
use crate::{Confidence, Look, Sight};

/// How a vendor's tokens are written.
#[derive(Debug)]
pub(super) struct Token {
    /// How they begin; where one is the beginning of another, the longer comes first.
    pub(super) prefixes: &'static [&'static str],
    /// What follows.
    pub(super) body: Alphabet,
    /// How many bytes follow: at least, at most.
    pub(super) length: (usize, usize),
}

impl Token {
    /// A token at the place, if `judge` says how sure it is of what stands behind the prefix. A run that is longer than
    /// tokens are is none. A `.` at the end is the sentence's.
    pub(super) fn see(
        &self,
        look: &Look<'_>,
        judge: impl Fn(&[u8]) -> Option<Confidence>,
    ) -> Sight {
        self.see_with(look, |_, body| judge(body))
    }

    /// The same, for whom it matters which prefix it was.
    pub(super) fn see_with(
        &self,
        look: &Look<'_>,
        judge: impl Fn(&str, &[u8]) -> Option<Confidence>,
    ) -> Sight {
        let rest = look.text.get(look.at..).unwrap_or_default();
        let Some(prefix) = self
            .prefixes
            .iter()
            .find(|prefix| rest.starts_with(prefix.as_bytes()))
        else {
            let cut = !look.last
                && self
                    .prefixes
                    .iter()
                    .any(|prefix| prefix.as_bytes().starts_with(rest));
            return if cut {
                Sight::Open { start: look.at }
            } else {
                Sight::Nothing
            };
        };
        let (least, most) = self.length;
        let start = look.at + prefix.len();
        let mut end = self.body.run(look.text, start, most + DOTS);
        if end - start > most + DOTS {
            return Sight::Nothing;
        }
        if end == look.text.len() && !look.last {
            return Sight::Open { start: look.at };
        }
        while end > start && look.text[end - 1] == b'.' {
            end -= 1;
        }
        if end - start < least || end - start > most {
            return Sight::Nothing;
        }
        found(look.at, end, judge(prefix, &look.text[start..end]))
    }
}

/// From `start` to `end`, where it is something.
pub(super) fn found(start: usize, end: usize, confidence: Option<Confidence>) -> Sight {
    confidence.map_or(Sight::Nothing, |confidence| Sight::Found {
        span: start..end,
        confidence,
    })
}

/// What stands before the place, as far as it may be looked at.
pub(super) fn near<'a>(look: &Look<'a>) -> &'a [u8] {
    &look.text[look.at.saturating_sub(NEAR)..look.at]
}

/// Whether the word stands there, in whatever case; `word` is in small letters.
pub(super) fn names(text: &[u8], word: &str) -> bool {
    text.windows(word.len())
        .any(|part| part.eq_ignore_ascii_case(word.as_bytes()))
}

/// So many dots may end a sentence.
const DOTS: usize = 3;

/// [`Look::text`] promises no more.
const NEAR: usize = 64;

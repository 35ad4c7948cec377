//! Values that were planted: found as they are, encoded, and with separators between their letters.

use std::fmt;
use std::ops::Range;

use super::dictionary::Words;
use super::{LONGEST, Part};
use crate::RuleError;

/// Shorter values would be found by chance.
const LEAST: usize = 8;
/// How many separators may stand between two letters.
const BETWEEN: usize = 3;

/// Values that were planted.
pub(crate) struct Canary {
    encoded: Words,
    /// Their letters and digits, and those of their hex forms, in small letters.
    spread: Vec<Vec<u8>>,
}

/// What is to be seen from one place.
enum Seen {
    Match(usize),
    Nothing,
    Open,
}

impl Canary {
    pub(crate) fn new(rule: &str, name: &str, values: &[String]) -> Result<Self, RuleError> {
        let (rule, name) = (rule.to_owned(), name.to_owned());
        if values.is_empty() {
            return Err(RuleError::Empty { rule, name });
        }
        if values
            .iter()
            .any(|value| letters(value.as_bytes()).len() < LEAST)
        {
            let least = LEAST;
            return Err(RuleError::CanaryShort { rule, name, least });
        }
        if values.iter().any(|value| value.len() > LONGEST / 8) {
            let most = LONGEST / 8;
            return Err(RuleError::Unbounded { rule, name, most });
        }
        let mut words = Vec::new();
        let mut spread = Vec::new();
        for value in values {
            let value = value.as_bytes();
            let backwards: Vec<u8> = value.iter().rev().copied().collect();
            let percent: String = value.iter().map(|byte| format!("%{byte:02x}")).collect();
            words.extend([value.to_vec(), backwards, percent.into_bytes()]);
            words.extend((0..3).flat_map(|before| base64(value, before)));
            let hex: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
            spread.extend([letters(value), hex.into_bytes()]);
        }
        let encoded = Words::new(words).map_err(|why| RuleError::Regex { rule, name, why })?;
        Ok(Self { encoded, spread })
    }

    pub(super) fn scan(&self, part: Part<'_>, found: &mut impl FnMut(Range<usize>)) -> usize {
        let mut open = self.encoded.scan(part, |span, open| {
            if !open {
                found(span);
            }
            open
        });
        for letters in &self.spread {
            open = open.min(spread(letters, part, found));
        }
        open
    }
}

impl fmt::Debug for Canary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Canary")
    }
}

fn spread(letters: &[u8], part: Part<'_>, found: &mut impl FnMut(Range<usize>)) -> usize {
    let Part { text, from, last } = part;
    let Some(first) = letters.first() else {
        return text.len();
    };
    let upper = first.to_ascii_uppercase();
    for at in memchr::memchr2_iter(*first, upper, text.get(from..).unwrap_or_default()) {
        let at = from + at;
        match look(letters, text, at) {
            Seen::Match(end) => found(at..end),
            Seen::Open if !last => return at,
            Seen::Nothing | Seen::Open => {}
        }
    }
    text.len().max(from)
}

fn look(letters: &[u8], text: &[u8], at: usize) -> Seen {
    let mut place = at;
    for letter in letters {
        let gap = text.get(place..).unwrap_or_default();
        let separators = gap.iter().take(BETWEEN + 1);
        let separators = separators
            .take_while(|byte| !byte.is_ascii_alphanumeric())
            .count();
        match gap.get(separators) {
            None => return Seen::Open,
            Some(byte) if separators <= BETWEEN && byte.eq_ignore_ascii_case(letter) => {
                place += separators + 1;
            }
            Some(_) => return Seen::Nothing,
        }
    }
    Seen::Match(place)
}

fn letters(value: &[u8]) -> Vec<u8> {
    let letters = value.iter().filter(|byte| byte.is_ascii_alphanumeric());
    letters.map(u8::to_ascii_lowercase).collect()
}

/// Base64 of the value where `before` bytes of something else stand before it, in both alphabets, without what depends on
/// its surroundings.
fn base64(value: &[u8], before: usize) -> [Vec<u8>; 2] {
    let bits = value.len() * 8;
    let skip = (before * 8).div_ceil(6) * 6 - before * 8;
    let encode = |letters: &[u8; 64]| {
        (0..(bits - skip) / 6)
            .map(|group| {
                let six = (0..6).fold(0, |six, bit| {
                    let place = skip + group * 6 + bit;
                    six << 1 | usize::from(value[place / 8] >> (7 - place % 8) & 1)
                });
                letters[six]
            })
            .collect()
    };
    [
        encode(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"),
        encode(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
    ]
}

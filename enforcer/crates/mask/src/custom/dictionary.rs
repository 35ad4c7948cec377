//! Words and phrases, found whole and in any letter case.

use std::ops::Range;

use aho_corasick::{AhoCorasick, Input, MatchKind};

use super::{LONGEST, Part};
use crate::RuleError;

/// Bytes of the longest character (RFC 3629, section 3).
const LONGEST_CHAR: usize = 4;

/// Words and phrases.
#[derive(Debug)]
pub(crate) struct Dictionary {
    words: Words,
}

/// Literals in any letter case, found wherever they stand.
#[derive(Debug)]
pub(super) struct Words {
    automaton: AhoCorasick,
    /// In small letters, sorted.
    sorted: Vec<Vec<u8>>,
    longest: usize,
    first: [bool; 256],
}

impl Dictionary {
    pub(crate) fn new(rule: &str, name: &str, words: &[String]) -> Result<Self, RuleError> {
        let empty = || RuleError::Empty {
            rule: rule.to_owned(),
            name: name.to_owned(),
        };
        if words.is_empty() || words.iter().any(|word| word.trim().is_empty()) {
            return Err(empty());
        }
        if words.iter().any(|word| word.len() > LONGEST) {
            return Err(RuleError::Unbounded {
                rule: rule.to_owned(),
                name: name.to_owned(),
                most: LONGEST,
            });
        }
        let words = words.iter().map(|word| word.trim().as_bytes().to_vec());
        let words = Words::new(words.collect()).map_err(|why| RuleError::Regex {
            rule: rule.to_owned(),
            name: name.to_owned(),
            why,
        })?;
        Ok(Self { words })
    }

    pub(super) fn scan(&self, part: Part<'_>, found: &mut impl FnMut(Range<usize>)) -> usize {
        let Part { text, last, .. } = part;
        self.words.scan(part, |span, open| {
            if of_word(before(text, span.start)) && of_word(behind(text, span.start)) {
                return false;
            }
            if open {
                return true;
            }
            let next = behind(text, span.end);
            if matches!(next, Beside::Nothing | Beside::Part) && !last {
                return true;
            }
            if !(of_word(before(text, span.end)) && of_word(next)) {
                found(span);
            }
            false
        })
    }
}

impl Words {
    pub(super) fn new(words: Vec<Vec<u8>>) -> Result<Self, String> {
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .build(&words)
            .map_err(|error| error.to_string())?;
        let mut sorted = words;
        let mut first = [false; 256];
        for word in &mut sorted {
            word.make_ascii_lowercase();
            if let Some(byte) = word.first() {
                first[usize::from(*byte)] = true;
                first[usize::from(byte.to_ascii_uppercase())] = true;
            }
        }
        sorted.sort_unstable();
        sorted.dedup();
        let longest = sorted.iter().map(Vec::len).max().unwrap_or(0);
        Ok(Self {
            automaton,
            sorted,
            longest,
            first,
        })
    }

    /// Shows `judge` each word that begins at or behind `from`, and the places where the end of the text could be the
    /// beginning of one (`true`). It answers whether that is still open.
    pub(super) fn scan(
        &self,
        part: Part<'_>,
        mut judge: impl FnMut(Range<usize>, bool) -> bool,
    ) -> usize {
        let Part { text, from, last } = part;
        let mut open = text.len().max(from);
        for found in self
            .automaton
            .find_overlapping_iter(Input::new(text).range(from..))
        {
            if judge(found.range(), false) {
                open = open.min(found.start());
            }
        }
        if last {
            return open;
        }
        let tail = text.len().saturating_sub(self.longest.saturating_sub(1));
        for at in tail.max(from)..open {
            if self.first[usize::from(text[at])]
                && self.begins(&text[at..])
                && judge(at..text.len(), true)
            {
                return at;
            }
        }
        open
    }

    /// Whether some longer word begins with these bytes.
    fn begins(&self, bytes: &[u8]) -> bool {
        let folded = bytes.to_ascii_lowercase();
        let place = self.sorted.partition_point(|word| *word < folded);
        let word = self.sorted.get(place);
        let same = usize::from(word.is_some_and(|word| *word == folded));
        self.sorted
            .get(place + same)
            .is_some_and(|word| word.starts_with(&folded))
    }
}

/// What stands beside a place.
#[derive(Clone, Copy)]
enum Beside {
    /// A character.
    Char(char),
    /// Bytes that are no character.
    Garbage,
    /// What may become one.
    Part,
    Nothing,
}

/// A word goes on over what is no character: it may be one in another encoding.
fn of_word(beside: Beside) -> bool {
    match beside {
        Beside::Char(char) => char.is_alphanumeric(),
        Beside::Garbage | Beside::Part => true,
        Beside::Nothing => false,
    }
}

fn behind(text: &[u8], at: usize) -> Beside {
    let Some(rest @ [first, ..]) = text.get(at..) else {
        return Beside::Nothing;
    };
    if first.is_ascii() {
        return Beside::Char(char::from(*first));
    }
    let bytes = &rest[..rest.len().min(LONGEST_CHAR)];
    match str::from_utf8(bytes) {
        Ok(text) => text.chars().next().map_or(Beside::Nothing, Beside::Char),
        Err(error) if error.valid_up_to() > 0 => {
            let valid = str::from_utf8(&bytes[..error.valid_up_to()]).ok();
            let char = valid.and_then(|text| text.chars().next());
            char.map_or(Beside::Garbage, Beside::Char)
        }
        Err(error) if error.error_len().is_none() => Beside::Part,
        Err(_) => Beside::Garbage,
    }
}

fn before(text: &[u8], at: usize) -> Beside {
    let text = &text[..at.min(text.len())];
    let Some(last) = text.last() else {
        return Beside::Nothing;
    };
    if last.is_ascii() {
        return Beside::Char(char::from(*last));
    }
    let from = text.len().saturating_sub(LONGEST_CHAR);
    let begins = (from..text.len()).rev().find(|at| text[*at] & 0xc0 != 0x80);
    let char = begins.and_then(|at| str::from_utf8(&text[at..]).ok());
    char.and_then(|text| text.chars().next())
        .map_or(Beside::Garbage, Beside::Char)
}

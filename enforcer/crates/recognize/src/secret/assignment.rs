//! What is assigned to a name that says it is secret.

use super::token::found;
use crate::key::{in_word, joint, word_end};
use crate::{Confidence, Look, Sight};

/// What stands further before the assignment does not count.
const NEAR: usize = 64;

/// So many bytes may stand between the `=` or `:` and its value.
const GAP: usize = 16;

/// A name, and what is assigned to it.
#[derive(Debug)]
pub(super) struct Assigned<'a> {
    /// The name without `_`, `-` and `.`, in small letters.
    key: [u8; NEAR],
    length: usize,
    /// What stands before the assignment.
    near: &'a [u8],
    /// What is assigned.
    pub(super) value: &'a [u8],
    /// It stands in quotes, or alone in a field.
    pub(super) quoted: bool,
}

impl Assigned<'_> {
    /// The name has the word in it; `word` is in small letters.
    pub(super) fn key_has(&self, word: &str) -> bool {
        self.key[..self.length]
            .windows(word.len())
            .any(|part| part == word.as_bytes())
    }

    /// The name ends with one of the words.
    pub(super) fn key_ends(&self, words: &[&str]) -> bool {
        words
            .iter()
            .any(|word| self.key[..self.length].ends_with(word.as_bytes()))
    }

    /// The word stands in the name or a little before it.
    pub(super) fn near_has(&self, word: &str) -> bool {
        self.key_has(word) || super::token::names(self.near, word)
    }
}

/// Where a value lies, and whether it is in quotes.
enum Value {
    At {
        start: usize,
        end: usize,
        quoted: bool,
    },
    None,
    Open,
}

/// What is assigned at the place, if `judge` says how sure it is; values over `most` bytes are not looked at.
pub(super) fn see(
    look: &Look<'_>,
    most: usize,
    judge: impl Fn(&Assigned<'_>) -> Option<Confidence>,
) -> Sight {
    let value = match look.field {
        Some(_) if look.at == 0 => whole(look, most),
        _ => behind(look, most),
    };
    match value {
        Value::At { start, end, quoted } => {
            let (key, length, near) = key(look);
            found(
                start,
                end,
                judge(&Assigned {
                    key,
                    length,
                    near,
                    value: &look.text[start..end],
                    quoted,
                }),
            )
        }
        Value::None => Sight::Nothing,
        Value::Open => Sight::Open { start: look.at },
    }
}

/// The name, small and joined, and what stands before the place.
fn key<'a>(look: &Look<'a>) -> ([u8; NEAR], usize, &'a [u8]) {
    let near = &look.text[look.at.saturating_sub(NEAR)..look.at];
    let word = match look.field {
        Some(name) if look.at == 0 => name.as_bytes(),
        _ => {
            let near = &near[..word_end(near)];
            let start = near
                .iter()
                .rposition(|byte| !in_word(*byte))
                .map_or(0, |last| last + 1);
            &near[start..]
        }
    };
    let mut key = [0; NEAR];
    let mut length = 0;
    // Of a long name the end counts.
    for byte in word[word.len().saturating_sub(NEAR)..]
        .iter()
        .filter(|byte| !joint(**byte))
    {
        key[length] = byte.to_ascii_lowercase();
        length += 1;
    }
    (key, length, near)
}

/// A field's text is one word and nothing else.
fn whole(look: &Look<'_>, most: usize) -> Value {
    let text = look.text;
    let start = text
        .iter()
        .take(GAP)
        .take_while(|byte| byte.is_ascii_whitespace())
        .count();
    let length = text[start..]
        .iter()
        .take(most + 1)
        .take_while(|byte| !byte.is_ascii_whitespace())
        .count();
    let end = start + length;
    if length > most {
        return Value::None;
    }
    if end == text.len() && !look.last {
        return Value::Open;
    }
    if length == 0 {
        Value::None
    } else {
        Value::At {
            start,
            end,
            quoted: true,
        }
    }
}

/// What stands behind the `=` or `:` at the place.
fn behind(look: &Look<'_>, most: usize) -> Value {
    let text = look.text;
    let Some((start, quote)) = opening(text, look.at) else {
        return if look.last { Value::None } else { Value::Open };
    };
    let sign = text[look.at];
    let ends = |byte: u8| match quote {
        Some(quote) => byte == quote || matches!(byte, b'\n' | b'\r'),
        None => closes(byte, sign),
    };
    let length = text[start..]
        .iter()
        .take(most + 1)
        .take_while(|byte| !ends(**byte))
        .count();
    let mut end = start + length;
    if length > most {
        return Value::None;
    }
    if end == text.len() && !look.last {
        return Value::Open;
    }
    // The quote may itself stand in a string, and so be escaped.
    while quote.is_some() && end > start && text[end - 1] == b'\\' {
        end -= 1;
    }
    while quote.is_none() && end > start && text[end - 1] == b'.' {
        end -= 1;
    }
    if end == start {
        Value::None
    } else {
        Value::At {
            start,
            end,
            quoted: quote.is_some(),
        }
    }
}

/// Where the value begins, behind `==`, `=>`, `:=`, blanks and a quote; none where the text ends before it.
fn opening(text: &[u8], at: usize) -> Option<(usize, Option<u8>)> {
    let mut next = at + 1;
    while next < at + 3 && matches!(text.get(next)?, b'=' | b'>') {
        next += 1;
    }
    let from = next;
    while next < from + GAP {
        match text.get(next)? {
            b' ' | b'\t' => next += 1,
            // Of a quote that is escaped, not of the end of a line.
            b'\\' if matches!(text.get(next + 1)?, b'"' | b'\'' | b'\\') => next += 1,
            _ => break,
        }
    }
    match text.get(next)? {
        quote @ (b'"' | b'\'' | b'`') => Some((next + 1, Some(*quote))),
        _ => Some((next, None)),
    }
}

/// Ends a value that stands in no quotes.
fn closes(byte: u8, sign: u8) -> bool {
    match byte {
        b' ' | b'\t' | b'\n' | b'\r' | b';' | b',' | b'"' | b'\'' | b'`' | b'<' | b'>' | b')'
        | b']' | b'}' | b'\\' | b'|' => true,
        b'&' => sign == b'=',
        _ => false,
    }
}

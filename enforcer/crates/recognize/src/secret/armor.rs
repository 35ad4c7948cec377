//! Private keys in armor: from `-----BEGIN` to `-----END`.
//!
//! A key that was cut off is one too: where the text ends, or something stands that no key contains, what was read so far
//! is found. Line ends may be escaped (`\n`), as in JSON within a text.

pub(super) mod openssh;
pub(super) mod pem;
pub(super) mod pgp;

use std::ops::Range;

use super::alphabet::Alphabet;
use crate::{Look, Sight};

/// The most that is looked at; an RSA key of 16384 bits takes 13 KiB.
pub(super) const LONGEST: usize = 32 << 10;

/// So much of a key must be there for it to be one; no kind has less.
const LEAST: usize = 60;

/// So many lines of headers, of so many bytes each.
const HEADERS: (usize, usize) = (8, 120);

const BEGIN: &[u8] = b"-----BEGIN ";

const BODY: Alphabet = Alphabet::BASE64;

/// What may stand between the lines of a key, and between the strings of which code puts it together.
const BETWEEN: Alphabet = Alphabet::of(" \t\r\n\\\"',");

/// A key in armor.
#[derive(Debug)]
pub(super) struct Armored<'a> {
    /// The headers between the first line and the key.
    pub(super) headers: &'a [u8],
    /// The key's first bytes, without the ends of lines.
    pub(super) head: [u8; 24],
    /// From the first line to the last, or as far as the key goes.
    pub(super) span: Range<usize>,
}

/// What was read from the place on.
pub(super) enum Read<'a> {
    Key(Armored<'a>),
    Nothing,
    Open,
}

impl Read<'_> {
    /// What to answer where there is no key.
    pub(super) fn otherwise(&self, look: &Look<'_>) -> Sight {
        match self {
            Self::Key(_) | Self::Nothing => Sight::Nothing,
            Self::Open => Sight::Open { start: look.at },
        }
    }
}

/// A key whose label is one of these.
pub(super) fn read<'a>(look: &Look<'a>, labels: &[&str]) -> Read<'a> {
    let known = &look.text[look.at..];
    let known = &known[..known.len().min(LONGEST)];
    let ended = look.last || known.len() == LONGEST;
    let open = if ended { Read::Nothing } else { Read::Open };
    let Some(rest) = known.strip_prefix(BEGIN) else {
        return if BEGIN.starts_with(known) {
            open
        } else {
            Read::Nothing
        };
    };
    let longest = labels
        .iter()
        .map(|label| label.len())
        .max()
        .unwrap_or_default();
    let length = rest
        .iter()
        .take(longest + 1)
        .take_while(|byte| **byte != b'-')
        .count();
    let label = &rest[..length];
    if length == rest.len() {
        return if labels
            .iter()
            .any(|known| known.as_bytes().starts_with(label))
        {
            open
        } else {
            Read::Nothing
        };
    }
    if !labels.iter().any(|known| known.as_bytes() == label) {
        return Read::Nothing;
    }
    let dashes = &rest[length..];
    if !dashes.starts_with(b"-----") {
        return if b"-----".starts_with(dashes) {
            open
        } else {
            Read::Nothing
        };
    }
    let start = BEGIN.len() + length + 5;
    let Some(from) = behind_headers(known, start) else {
        return open;
    };
    let headers = &known[start..from];
    match body(known, from, label, ended) {
        Body::Ends { end, head } => Read::Key(Armored {
            headers,
            head,
            span: look.at..look.at + end,
        }),
        Body::None => Read::Nothing,
        Body::Open => Read::Open,
    }
}

/// Where the key begins, behind lines such as `DEK-Info: …`; none where the text ends in them.
fn behind_headers(known: &[u8], start: usize) -> Option<usize> {
    let mut from = start;
    for _ in 0..HEADERS.0 {
        let line = line_start(known, from)?;
        let word = Alphabet::URL.run(known, line, 24);
        if known.get(word)? != &b':' {
            return Some(line);
        }
        let text = known[word..].iter().take(HEADERS.1);
        let length = text
            .take_while(|byte| !matches!(byte, b'\n' | b'\\' | b'\r'))
            .count();
        from = word + length;
        known.get(from)?;
    }
    Some(from)
}

/// The first byte behind blanks and ends of lines, also escaped ones.
fn line_start(known: &[u8], mut from: usize) -> Option<usize> {
    loop {
        match known.get(from)? {
            b'\\' => {
                let letter = known.get(from + 1)?;
                from += if matches!(letter, b'n' | b'r' | b't') {
                    2
                } else {
                    1
                };
            }
            byte if BETWEEN.has(*byte) => from += 1,
            _ => return Some(from),
        }
    }
}

enum Body {
    Ends { end: usize, head: [u8; 24] },
    None,
    Open,
}

/// Reads the key from `from` on.
fn body(known: &[u8], from: usize, label: &[u8], ended: bool) -> Body {
    let mut head = [0; 24];
    let (mut count, mut next, mut end) = (0, from, from);
    while let Some(place) = line_start(known, next) {
        let byte = known[place];
        if !BODY.has(byte) {
            next = place;
            break;
        }
        if let Some(slot) = head.get_mut(count) {
            *slot = byte;
        }
        count += 1;
        next = place + 1;
        end = next;
    }
    let enough = count >= LEAST;
    let rest = known.get(next..).unwrap_or_default();
    match last_line(rest, label) {
        Some(length) if enough => Body::Ends {
            end: next + length,
            head,
        },
        Some(_) => Body::None,
        None if !ended && could_end(rest, label) => Body::Open,
        None if enough => Body::Ends { end, head },
        None => Body::None,
    }
}

/// The length of the last line, if the text goes on with it.
fn last_line(rest: &[u8], label: &[u8]) -> Option<usize> {
    let behind = rest.strip_prefix(b"-----END ")?.strip_prefix(label)?;
    behind
        .starts_with(b"-----")
        .then_some(b"-----END ".len() + label.len() + 5)
}

/// The text ends within the key, or within its last line.
fn could_end(rest: &[u8], label: &[u8]) -> bool {
    let line = b"-----END ".iter().chain(label).chain(b"-----");
    let lies_between = line_start(rest, 0).is_none();
    lies_between
        || (rest.len() < 14 + label.len() && line.zip(rest).all(|(one, other)| one == other))
}

//! The start of a line: blanks, the marks of list items, a key.

use std::ops::Range;

/// What a line begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// A key, with its quotes; empty where there is none.
    pub(super) name: Range<usize>,
    /// Where the value begins; 0 where the line goes on with the one before.
    pub(super) value: usize,
}

impl Line {
    pub(super) fn read(line: &[u8]) -> Self {
        let (mut at, item) = start(line);
        let rest = line.get(at..).unwrap_or_default();
        let Some((name, behind)) = key(rest) else {
            let value = if item { at } else { 0 };
            return Self {
                name: value..value,
                value,
            };
        };
        let name = at..at + name;
        at += behind;
        at += blanks(line.get(at..).unwrap_or_default());
        Self { name, value: at }
    }
}

/// Blanks and marks of list items: how long they are, and whether there is such a mark.
fn start(line: &[u8]) -> (usize, bool) {
    let mut at = blanks(line);
    let mut item = false;
    while let [b'-', b' ' | b'\t', ..] = line.get(at..).unwrap_or_default() {
        item = true;
        at += 1;
        at += blanks(line.get(at..).unwrap_or_default());
    }
    (at, item)
}

fn blanks(text: &[u8]) -> usize {
    text.iter()
        .take_while(|byte| matches!(byte, b' ' | b'\t'))
        .count()
}

/// A key: how long it is, and with its colon.
fn key(text: &[u8]) -> Option<(usize, usize)> {
    let quoted = closing(text).map(|end| end + 1);
    let end = match quoted {
        Some(end) => end,
        None => text
            .iter()
            .position(|byte| !matches!(byte, b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'_' | b'-' | b'.' | b'/' | b' ' | 0x80..))?,
    };
    let (name, rest) = text.split_at_checked(end)?;
    let space = match quoted {
        Some(_) => blanks(rest),
        None => 0,
    };
    let name = name.trim_ascii_end().len();
    match rest.get(space..)? {
        [b':'] | [b':', b' ' | b'\t', ..] if name > 0 => Some((name, end + space + 1)),
        _ => None,
    }
}

/// Where the quote is closed that `text` begins with.
pub(super) fn closing(text: &[u8]) -> Option<usize> {
    let quote = *text.first().filter(|byte| matches!(byte, b'"' | b'\''))?;
    let mut at = 1;
    loop {
        let byte = *text.get(at)?;
        let doubled = quote == b'\'' && text.get(at + 1) == Some(&quote);
        match byte {
            b'\\' if quote == b'"' => at += 2,
            _ if byte == quote && doubled => at += 2,
            _ if byte == quote => return Some(at),
            _ => at += 1,
        }
    }
}

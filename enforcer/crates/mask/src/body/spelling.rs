//! How formats write a text: their escapes, read and written.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

use super::spelled::Spelled;

/// The longest reference of markup that is looked for, `&CounterClockwiseContourIntegral;` and its like left alone.
const REFERENCE: usize = 12;

/// A way to write a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// A cell without quotes, or a line of another format that knows none.
    Bare,
    /// A cell in quotes, and a YAML text in single ones: a quote is written twice.
    Doubled(u8),
    /// `application/x-www-form-urlencoded`, and queries.
    Form,
    /// The value of a header: one line.
    Header,
    /// A string of a JSON document.
    Json,
    /// A string of what may be JSON: what is no escape is itself.
    LooseJson,
    /// Text and attributes of markup.
    Markup,
    /// Segments of a path.
    Percent,
    /// As it is.
    Plain,
}

/// What stands at a byte that is not itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// It cannot be told before more is there.
    Cut,
    /// `raw` bytes stand for the first `length` bytes of `text`.
    Escape {
        raw: usize,
        text: [u8; 4],
        length: usize,
    },
    /// The byte is itself all the same.
    Itself,
    /// Nothing that the format allows.
    Wrong,
}

impl Spelling {
    /// How many bytes at the start of `raw` are themselves.
    pub(crate) fn plain(self, raw: &[u8]) -> usize {
        let found = match self {
            Self::Bare | Self::Header | Self::Plain => None,
            Self::Doubled(quote) => memchr(quote, raw),
            Self::Form => memchr2(b'%', b'+', raw),
            Self::Json | Self::LooseJson => memchr(b'\\', raw),
            Self::Markup => memchr(b'&', raw),
            Self::Percent => memchr(b'%', raw),
        };
        found.unwrap_or(raw.len())
    }

    /// What stands at the start of `raw`; nothing follows it where this is the `last`.
    pub(crate) fn unit(self, raw: &[u8], last: bool) -> Unit {
        let unit = match self {
            Self::Bare | Self::Header | Self::Plain => Unit::Itself,
            Self::Doubled(quote) => doubled(raw, quote),
            Self::Form if raw.first() == Some(&b'+') => byte(1, b' '),
            Self::Form | Self::Percent => percent(raw),
            Self::Json | Self::LooseJson => backslash(raw, last),
            Self::Markup => reference(raw),
        };
        match unit {
            Unit::Cut if last && self == Self::Json => Unit::Wrong,
            Unit::Wrong if self == Self::LooseJson => Unit::Itself,
            Unit::Cut if last => Unit::Itself,
            known => known,
        }
    }

    /// Whether something in a whole text is no escape where the format allows nothing else.
    pub(crate) fn wrong(self, mut raw: &[u8]) -> bool {
        if self != Self::Json {
            return false;
        }
        loop {
            raw = raw.get(self.plain(raw)..).unwrap_or_default();
            if raw.is_empty() {
                return false;
            }
            let used = match self.unit(raw, true) {
                Unit::Cut | Unit::Wrong => return true,
                Unit::Escape { raw, .. } => raw,
                Unit::Itself => 1,
            };
            raw = raw.get(used..).unwrap_or_default();
        }
    }

    /// A text that is there as a whole, without its escapes.
    pub(crate) fn read<'r>(self, raw: &'r [u8], spelled: &mut Spelled) -> Cow<'r, [u8]> {
        let mut plain = self.plain(raw);
        if plain == raw.len() {
            spelled.itself(plain);
            return Cow::Borrowed(raw);
        }
        let mut text = Vec::with_capacity(raw.len());
        let mut rest = raw;
        while !rest.is_empty() {
            let (itself, escape) = rest.split_at(plain);
            text.extend_from_slice(itself);
            spelled.itself(plain);
            rest = escape;
            if let Unit::Escape {
                raw,
                text: character,
                length,
            } = self.unit(escape, true)
            {
                let (written, behind) = escape.split_at(raw);
                text.extend_from_slice(character.get(..length).unwrap_or_default());
                spelled.escape(written, u8::try_from(length).unwrap_or(0));
                rest = behind;
            } else if let Some((byte, behind)) = escape.split_first() {
                text.push(*byte);
                spelled.itself(1);
                rest = behind;
            }
            plain = self.plain(rest);
        }
        Cow::Owned(text)
    }

    /// Writes `text`, which is ours, so that readers of the format take it for one text.
    pub(crate) fn write(self, text: &[u8], out: &mut Vec<u8>) {
        for &byte in text {
            match self {
                Self::Plain => out.push(byte),
                Self::Json | Self::LooseJson => json(byte, out),
                Self::Form | Self::Percent => percent_written(byte, self == Self::Form, out),
                Self::Markup => markup(byte, out),
                Self::Doubled(quote) if byte == quote => out.extend_from_slice(&[quote, quote]),
                Self::Doubled(_) => out.push(byte),
                Self::Bare => out.push(instead(byte, b",;\t|\"", b' ')),
                Self::Header => out.push(instead(byte, b"\"\\", b'\'')),
            }
        }
    }
}

fn byte(raw: usize, byte: u8) -> Unit {
    Unit::Escape {
        raw,
        text: [byte, 0, 0, 0],
        length: 1,
    }
}

fn character(raw: usize, character: char) -> Unit {
    let mut text = [0; 4];
    let length = character.encode_utf8(&mut text).len();
    Unit::Escape { raw, text, length }
}

fn doubled(raw: &[u8], quote: u8) -> Unit {
    match raw.get(1) {
        None => Unit::Cut,
        Some(next) if *next == quote => byte(2, quote),
        Some(_) => Unit::Itself,
    }
}

fn percent(raw: &[u8]) -> Unit {
    let digit = |at: usize| raw.get(at).map(|byte| (*byte as char).to_digit(16));
    match (digit(1), digit(2)) {
        (Some(None), _) | (_, Some(None)) => Unit::Itself,
        (Some(Some(high)), Some(Some(low))) => match u8::try_from(high * 16 + low) {
            Ok(value) => byte(3, value),
            Err(_) => Unit::Itself,
        },
        (None, _) | (_, None) => Unit::Cut,
    }
}

fn backslash(raw: &[u8], last: bool) -> Unit {
    let Some(kind) = raw.get(1) else {
        return Unit::Cut;
    };
    let value = match kind {
        b'"' | b'\\' | b'/' => *kind,
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'u' => return unicode(raw, last),
        _ => return Unit::Wrong,
    };
    byte(2, value)
}

/// `\u0041`, two of which may be one character. Half a pair is none: some readers drop it, others put a sign in its place.
fn unicode(raw: &[u8], last: bool) -> Unit {
    let first = match four(raw.get(2..).unwrap_or_default()) {
        Ok(first) => first,
        Err(unit) => return unit,
    };
    if !(0xd800..0xdc00).contains(&first) {
        return char::from_u32(first).map_or(Unit::Wrong, |whole| character(6, whole));
    }
    let rest = raw.get(6..).unwrap_or_default();
    match rest {
        [] | [b'\\'] if !last => return Unit::Cut,
        [b'\\', b'u', ..] => {}
        _ => return Unit::Wrong,
    }
    match four(rest.get(2..).unwrap_or_default()) {
        Ok(second @ 0xdc00..0xe000) => {
            let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
            char::from_u32(code).map_or(Unit::Wrong, |whole| character(12, whole))
        }
        Err(Unit::Cut) if !last => Unit::Cut,
        Ok(_) | Err(_) => Unit::Wrong,
    }
}

fn four(digits: &[u8]) -> Result<u32, Unit> {
    let mut code = 0;
    for at in 0..4 {
        let digit = digits.get(at).ok_or(Unit::Cut)?;
        code = code * 16 + (*digit as char).to_digit(16).ok_or(Unit::Wrong)?;
    }
    Ok(code)
}

/// `&amp;`, `&#65;`, `&#x41;`. Names that only HTML knows are left to the looks behind encodings.
fn reference(raw: &[u8]) -> Unit {
    let inner = raw.get(1..).unwrap_or_default();
    let within = inner.get(..REFERENCE).unwrap_or(inner);
    let Some(end) = within
        .iter()
        .position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'#')
    else {
        return if within.len() < REFERENCE {
            Unit::Cut
        } else {
            Unit::Itself
        };
    };
    if within.get(end) != Some(&b';') {
        return Unit::Itself;
    }
    let name = std::str::from_utf8(within.get(..end).unwrap_or_default()).unwrap_or_default();
    let value = match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some('\u{a0}'),
        _ => numeric(name),
    };
    value.map_or(Unit::Itself, |value| character(end + 2, value))
}

fn numeric(name: &str) -> Option<char> {
    let digits = name.strip_prefix('#')?;
    let code = match digits.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16),
        None => digits.parse(),
    };
    char::from_u32(code.ok()?)
}

fn json(byte: u8, out: &mut Vec<u8>) {
    match byte {
        b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
        b'\n' => out.extend_from_slice(b"\\n"),
        0..0x20 => {
            out.extend_from_slice(b"\\u00");
            out.extend_from_slice(&hex(byte));
        }
        _ => out.push(byte),
    }
}

fn percent_written(byte: u8, form: bool, out: &mut Vec<u8>) {
    match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' => out.push(byte),
        b'*' => out.push(byte),
        b' ' if form => out.push(b'+'),
        _ => {
            out.push(b'%');
            out.extend_from_slice(&hex(byte));
        }
    }
}

fn hex(byte: u8) -> [u8; 2] {
    let digit = |value: u8| match value {
        0..10 => b'0' + value,
        _ => b'A' + value - 10,
    };
    [digit(byte >> 4), digit(byte & 15)]
}

fn markup(byte: u8, out: &mut Vec<u8>) {
    match byte {
        b'&' => out.extend_from_slice(b"&amp;"),
        b'<' => out.extend_from_slice(b"&lt;"),
        b'>' => out.extend_from_slice(b"&gt;"),
        b'"' => out.extend_from_slice(b"&quot;"),
        b'\'' => out.extend_from_slice(b"&#39;"),
        _ => out.push(byte),
    }
}

/// Another byte for one that would end the value, or its line.
fn instead(byte: u8, unfit: &[u8], other: u8) -> u8 {
    match byte {
        b'\r' | b'\n' | 0 => b' ',
        _ if unfit.contains(&byte) => other,
        _ => byte,
    }
}

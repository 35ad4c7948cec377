//! One tag: its name, and its attributes one by one.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memchr;

use crate::Sink;
use crate::Stop;
use crate::body::desk::Desk;
use crate::body::spelled::{Respell, Spelled};
use crate::body::spelling::Spelling;

/// No longer name is an element's.
const NAME: usize = 256;

/// What stands between angle brackets.
#[derive(Debug)]
pub(super) enum Tag<'t> {
    /// `<?xml ..?>`, `<!DOCTYPE ..>`; whether it leaves texts readable.
    Declaration {
        fits: bool,
    },
    End(Cow<'t, str>),
    Start {
        name: Cow<'t, str>,
        empty: bool,
    },
}

impl<'t> Tag<'t> {
    pub(super) fn read(raw: &'t [u8]) -> Option<Self> {
        let inner = raw.strip_prefix(b"<")?.strip_suffix(b">")?;
        match inner.first()? {
            b'?' => Some(Self::Declaration {
                fits: inner.ends_with(b"?") && readable(inner),
            }),
            b'!' => Some(Self::Declaration {
                fits: memchr(b'[', inner).is_none(),
            }),
            b'/' => {
                let name = inner.get(1..)?.trim_ascii_end();
                Some(Self::End(local(name)?))
            }
            _ => {
                let empty = inner.ends_with(b"/");
                let end = inner
                    .iter()
                    .position(|byte| byte.is_ascii_whitespace() || *byte == b'/');
                let name = local(inner.get(..end.unwrap_or(inner.len()))?)?;
                Some(Self::Start { name, empty })
            }
        }
    }
}

/// A name without its prefix.
fn local(name: &[u8]) -> Option<Cow<'_, str>> {
    let fits = !name.is_empty()
        && name.len() <= NAME
        && name.iter().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':' | 0x80..)
        });
    let name = name.rsplit(|byte| *byte == b':').next()?;
    (fits && !name.is_empty()).then(|| String::from_utf8_lossy(name))
}

/// Whether a declaration names no character set in which letters are other bytes.
fn readable(inner: &[u8]) -> bool {
    let text = String::from_utf8_lossy(inner).to_ascii_lowercase();
    let Some((_, behind)) = text.split_once("encoding") else {
        return true;
    };
    let behind = behind.trim_start_matches([' ', '\t', '\r', '\n', '=', '"', '\'']);
    ["utf-8", "us-ascii", "iso-8859-", "windows-125"]
        .iter()
        .any(|known| behind.starts_with(known))
}

/// Gives out a tag, its attributes' values looked at.
pub(super) fn attributes(raw: &[u8], desk: &mut Desk, sink: &mut dyn Sink) -> Result<(), Stop> {
    let mut done = 0;
    while let Some((name, value)) = next(raw, done) {
        sink.keep(raw.get(done..value.start).unwrap_or_default());
        let name = raw.get(name).unwrap_or_default();
        let name = local(name).unwrap_or_default();
        let written = raw.get(value.clone()).unwrap_or_default();
        let mut spelled = Spelled::default();
        let text = Spelling::Markup.read(written, &mut spelled);
        desk.trail.enter(&name);
        let looked = desk.judge(&text);
        desk.trail.leave();
        match looked? {
            None => sink.keep(written),
            Some(pieces) => {
                let mut respell = Respell {
                    spelling: Spelling::Markup,
                    spelled: &mut spelled,
                    down: sink,
                };
                pieces.give(&text, &mut respell);
            }
        }
        done = value.end;
    }
    sink.keep(raw.get(done..).unwrap_or_default());
    Ok(())
}

/// The next attribute: its name, and its value within quotes.
fn next(raw: &[u8], from: usize) -> Option<(Range<usize>, Range<usize>)> {
    let rest = raw.get(from..)?;
    let open = from
        + memchr::memchr2(b'"', b'\'', rest.get(usize::from(from > 0)..)?)?
        + usize::from(from > 0);
    let quote = *raw.get(open)?;
    let end = open + 1 + memchr(quote, raw.get(open + 1..)?)?;
    let before = raw.get(from..open)?.trim_ascii_end();
    let before = before.strip_suffix(b"=").unwrap_or(before).trim_ascii_end();
    let start = before
        .iter()
        .rposition(|byte| byte.is_ascii_whitespace())
        .map_or(0, |space| space + 1);
    Some((from + start..from + before.len(), open + 1..end))
}

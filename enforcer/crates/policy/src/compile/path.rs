//! Paths: which are ambiguous, and which a pattern matches.
//!
//! A path is judged as the bytes it stands for, with percent-escapes resolved once. Where two servers could read two
//! different resources out of the same bytes, the path is ambiguous, and no pattern is taken to know what it means.

use std::borrow::Cow;

use crate::compile::glob::Glob;
use crate::diagnostic::Fault;

/// Longest path that is judged, in bytes. Longer ones count as ambiguous: servers differ in where they cut.
const MAX_PATH: usize = 16 << 10;
/// Longest pattern taken, in bytes.
const MAX_PATTERN: usize = 1 << 10;

/// A request's path, read once for all rules.
#[derive(Debug)]
pub(crate) enum Path<'a> {
    /// It can be read in more than one way.
    Ambiguous,
    /// What it stands for, without the leading `/`.
    Clear(Cow<'a, [u8]>),
}

/// A pattern over the segments of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PathPattern {
    segments: Box<[Segment]>,
    /// The whole of it, when it has no star.
    literal: Option<Box<[u8]>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    /// `**`: any number of segments, none included.
    AnyNumber,
    /// A segment with text and perhaps stars in it.
    Like(Glob),
    /// `*`: one segment, not an empty one.
    One,
}

// === impl Path ===

impl<'a> Path<'a> {
    /// Reads a raw path, which begins with `/` and has no query.
    pub(crate) fn read(raw: &'a str) -> Self {
        let Some(path) = raw.as_bytes().strip_prefix(b"/") else {
            return Self::Ambiguous;
        };
        if raw.len() > MAX_PATH || !path.iter().all(|byte| is_plain(*byte)) {
            return Self::Ambiguous;
        }
        let mut segments = path.split(|byte| *byte == b'/').peekable();
        while let Some(segment) = segments.next() {
            let doubled = segment.is_empty() && segments.peek().is_some();
            if doubled || segment == b"." || segment == b".." {
                return Self::Ambiguous;
            }
        }
        if !path.contains(&b'%') {
            return Self::Clear(Cow::Borrowed(path));
        }
        unescape(path).map_or(Self::Ambiguous, |path| Self::Clear(Cow::Owned(path)))
    }
}

/// Bytes that stand for themselves wherever they are read. `;` begins parameters for some servers, `\` is `/` for
/// others, and `?` and `#` end a path; RFC 3986 has neither controls nor bytes above 0x7e in a path.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'\\' | b';' | b'?' | b'#')
}

/// Resolves percent-escapes. None when one is broken or stands for what would be read differently once resolved:
/// anything that is not plain, `/`, `.`, another escape, or bytes that are not UTF-8.
fn unescape(path: &[u8]) -> Option<Vec<u8>> {
    let mut resolved = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some((first, tail)) = rest.split_first() {
        if *first != b'%' {
            resolved.push(*first);
            rest = tail;
            continue;
        }
        let (byte, tail) = hex_pair(tail)?;
        let another = byte == b'%' && hex_pair(tail).is_some();
        let separates = matches!(byte, b'/' | b'.') || another;
        let plain = is_plain(byte) || byte == b' ' || !byte.is_ascii();
        if separates || !plain {
            return None;
        }
        resolved.push(byte);
        rest = tail;
    }
    let text = std::str::from_utf8(&resolved).ok()?;
    let controlled = text.chars().any(char::is_control);
    (!controlled).then_some(resolved)
}

fn hex_pair(text: &[u8]) -> Option<(u8, &[u8])> {
    let ([high, low], rest) = text.split_first_chunk::<2>()?;
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let value = digit(*high)? * 16 + digit(*low)?;
    Some((u8::try_from(value).ok()?, rest))
}

// === impl PathPattern ===

impl PathPattern {
    /// Reads a pattern from a policy.
    pub(crate) fn parse(text: &str) -> Result<Self, Fault> {
        let path = check_text(text)?;
        check_segments(path)?;
        let segments = path
            .split('/')
            .map(segment)
            .collect::<Result<Box<[_]>, _>>()?;
        let literal = literal(&segments);
        Ok(Self { segments, literal })
    }

    /// Whether it matches a path's bytes, given without the leading `/`.
    pub(crate) fn matches(&self, path: &[u8]) -> bool {
        if let Some(literal) = &self.literal {
            return **literal == *path;
        }
        // One step back suffices: what the last `**` skipped can always be skipped by it instead of an earlier one.
        let mut retry: Option<(usize, Option<&[u8]>)> = None;
        let mut at = 0;
        let mut rest = Some(path);
        loop {
            match (self.segments.get(at), rest) {
                (None, None) => return true,
                (Some(Segment::AnyNumber), _) => {
                    at += 1;
                    retry = Some((at, rest));
                    continue;
                }
                (Some(segment), Some(left)) => {
                    let (first, tail) = split(left);
                    if segment.matches(first) {
                        at += 1;
                        rest = tail;
                        continue;
                    }
                }
                (None, Some(_)) | (Some(_), None) => {}
            }
            let Some((after, Some(skipped))) = retry else {
                return false;
            };
            let (_, tail) = split(skipped);
            retry = Some((after, tail));
            at = after;
            rest = tail;
        }
    }

    /// The literal segments that every path it matches begins with.
    pub(crate) fn beginning(&self) -> impl Iterator<Item = &[u8]> {
        self.segments.iter().map_while(Segment::literal)
    }

    /// Whether everything `other` matches is surely matched by this too. May miss cases, never claims one that is not.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        if let Some(literal) = &other.literal {
            return self.matches(literal);
        }
        if self == other {
            return true;
        }
        match &*self.segments {
            [prefix @ .., Segment::AnyNumber] => {
                let plain = prefix.iter().all(|s| s.literal().is_some());
                plain && other.segments.starts_with(prefix)
            }
            _ => false,
        }
    }
}

fn check_text(text: &str) -> Result<&str, Fault> {
    if text.len() > MAX_PATTERN {
        return Err(Fault::new(format!(
            "a path pattern of more than {MAX_PATTERN} bytes"
        )));
    }
    if text.contains(['?', '#']) {
        let fault = Fault::new(format!("`{text}` has a query or fragment in it"));
        return Err(fault.with_hint("rules speak of the path only; queries are not matched"));
    }
    let Some(path) = text.strip_prefix('/') else {
        let fault = Fault::new(format!("`{text}` is no path: it does not begin with `/`"));
        return Err(fault.with_hint("paths stand without scheme and host, as in `/v1/models/*`"));
    };
    Ok(path)
}

fn check_segments(path: &str) -> Result<(), Fault> {
    let mut segments = path.split('/').peekable();
    while let Some(segment) = segments.next() {
        if segment.is_empty() && segments.peek().is_some() {
            let fault = Fault::new(format!("`/{path}` has an empty segment"));
            return Err(fault.with_hint("a path with `//` is ambiguous and never matches"));
        }
        if matches!(segment, "." | "..") {
            let fault = Fault::new(format!("`/{path}` has a `{segment}` segment"));
            return Err(fault.with_hint("a path with dot segments is ambiguous and never matches"));
        }
    }
    Ok(())
}

/// Reads one segment: escapes are resolved after the stars were found, so `%2A` is a star that stands for itself.
fn segment(text: &str) -> Result<Segment, Fault> {
    match text {
        "**" => return Ok(Segment::AnyNumber),
        "*" => return Ok(Segment::One),
        _ if text.contains("**") => {
            let fault = Fault::new(format!("`{text}` has `**` beside other text"));
            return Err(fault.with_hint("`**` is a segment of its own, as in `/v1/files/**`"));
        }
        _ => {}
    }
    let pieces = text.split('*').map(piece).collect::<Result<_, _>>()?;
    Ok(Segment::Like(Glob::of_pieces(pieces)))
}

fn piece(text: &str) -> Result<Box<[u8]>, Fault> {
    let ambiguous = || {
        let fault = Fault::new(format!(
            "`{text}` can be read in more than one way, so no path will ever match it"
        ));
        fault.with_hint("write paths without `;`, `\\` and encoded separators")
    };
    let plain = |c: char| !c.is_ascii() || c == ' ' || u8::try_from(c).is_ok_and(is_plain);
    if !text.chars().all(plain) || text.chars().any(char::is_control) {
        return Err(ambiguous());
    }
    unescape(text.as_bytes())
        .map(Into::into)
        .ok_or_else(ambiguous)
}

fn literal(segments: &[Segment]) -> Option<Box<[u8]>> {
    let parts: Option<Vec<&[u8]>> = segments.iter().map(Segment::literal).collect();
    parts.map(|parts| parts.join(&b'/').into())
}

/// The first segment and, if there are more, the rest.
fn split(path: &[u8]) -> (&[u8], Option<&[u8]>) {
    match path.iter().position(|byte| *byte == b'/') {
        Some(slash) => (path.get(..slash).unwrap_or_default(), path.get(slash + 1..)),
        None => (path, None),
    }
}

// === impl Segment ===

impl Segment {
    fn matches(&self, segment: &[u8]) -> bool {
        match self {
            Self::AnyNumber => false,
            Self::Like(glob) => glob.matches(segment),
            Self::One => !segment.is_empty(),
        }
    }

    fn literal(&self) -> Option<&[u8]> {
        match self {
            Self::AnyNumber | Self::One => None,
            Self::Like(glob) => glob.literal(),
        }
    }
}

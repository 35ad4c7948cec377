//! The body of a `ClientHello`: fixed fields, then the four extensions that tell us something.

use std::borrow::Cow;
use std::ops::Range;

use super::{ClientHello, Malformed};

const SERVER_NAME: u16 = 0;
const ALPN: u16 = 16;
const SUPPORTED_VERSIONS: u16 = 43;
/// RFC 9849 section 5.
const ENCRYPTED_CLIENT_HELLO: u16 = 0xfe0d;

const HOST_NAME: u8 = 0;
const RANDOM: usize = 32;
const MAX_SESSION_ID: usize = 32;
const MAX_NAME: usize = 255;

/// The protocol names of an ALPN list whose lengths were checked.
pub(super) struct Names<'a>(pub(super) &'a [u8]);

/// What is still unread of a slice, and where in the whole it begins.
#[derive(Clone)]
struct Reader<'a> {
    rest: &'a [u8],
    at: usize,
}

/// The extensions we read.
#[derive(Default)]
struct Extensions {
    server_name: Option<Range<usize>>,
    alpn: Option<Range<usize>>,
    version: Option<u16>,
    ech: bool,
}

pub(super) fn parse(body: Cow<'_, [u8]>) -> Result<ClientHello<'_>, Malformed> {
    let mut reader = Reader { rest: &body, at: 0 };
    let legacy = reader.u16()?;
    if legacy >> 8 != 3 {
        return Err(Malformed::Version);
    }
    reader.take(RANDOM)?;
    fixed(&mut reader)?;
    let Extensions {
        server_name,
        alpn,
        version,
        ech,
    } = extensions(reader)?;
    Ok(ClientHello {
        body,
        server_name,
        alpn,
        version: version.unwrap_or(legacy),
        ech,
    })
}

/// Session id, cipher suites and compression methods.
fn fixed(reader: &mut Reader<'_>) -> Result<(), Malformed> {
    let session = reader.short_list()?;
    let suites = reader.list()?;
    let compression = reader.short_list()?;
    let fits = session.rest.len() <= MAX_SESSION_ID
        && !suites.rest.is_empty()
        && suites.rest.len().is_multiple_of(2)
        && !compression.rest.is_empty();
    if fits { Ok(()) } else { Err(Malformed::Length) }
}

fn extensions(mut reader: Reader<'_>) -> Result<Extensions, Malformed> {
    let mut found = Extensions::default();
    // Hellos before TLS 1.2 may end here.
    if reader.rest.is_empty() {
        return Ok(found);
    }
    let mut list = reader.list()?;
    reader.end()?;
    while !list.rest.is_empty() {
        let kind = list.u16()?;
        let value = list.list()?;
        match kind {
            SERVER_NAME => set(&mut found.server_name, server_name(value)?)?,
            ALPN => set(&mut found.alpn, alpn(value)?)?,
            SUPPORTED_VERSIONS => set(&mut found.version, versions(value)?)?,
            ENCRYPTED_CLIENT_HELLO if found.ech => return Err(Malformed::DuplicateExtension),
            ENCRYPTED_CLIENT_HELLO => found.ech = true,
            _ => {}
        }
    }
    Ok(found)
}

fn set<T>(slot: &mut Option<T>, value: T) -> Result<(), Malformed> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(Malformed::DuplicateExtension),
    }
}

/// RFC 6066 section 3; more than one name, and any name type but the first, are allowed there and used by nobody.
fn server_name(mut value: Reader<'_>) -> Result<Range<usize>, Malformed> {
    if value.rest.is_empty() {
        return Err(Malformed::EmptyName);
    }
    let mut list = value.list()?;
    value.end()?;
    if list.rest.is_empty() {
        return Err(Malformed::EmptyName);
    }
    if list.u8()? != HOST_NAME {
        return Err(Malformed::NameType);
    }
    let name = list.list()?;
    if !list.rest.is_empty() {
        return Err(Malformed::DuplicateName);
    }
    if name.rest.is_empty() {
        return Err(Malformed::EmptyName);
    }
    if name.rest.len() > MAX_NAME || !name.rest.iter().all(u8::is_ascii_graphic) {
        return Err(Malformed::Name);
    }
    Ok(name.range())
}

/// RFC 7301 section 3.1.
fn alpn(mut value: Reader<'_>) -> Result<Range<usize>, Malformed> {
    let list = value.list()?;
    value.end()?;
    let range = list.range();
    let mut names = list;
    if names.rest.is_empty() {
        return Err(Malformed::Length);
    }
    while !names.rest.is_empty() {
        if names.short_list()?.rest.is_empty() {
            return Err(Malformed::Length);
        }
    }
    Ok(range)
}

/// RFC 8446 section 4.2.1; the highest of them that is TLS (greased values are not).
fn versions(mut value: Reader<'_>) -> Result<u16, Malformed> {
    let mut list = value.short_list()?;
    value.end()?;
    let mut highest = None;
    while !list.rest.is_empty() {
        let version = list.u16()?;
        if version >> 8 == 3 {
            highest = highest.max(Some(version));
        }
    }
    highest.ok_or(Malformed::Version)
}

// === impl Names ===

impl<'a> Iterator for Names<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (&length, rest) = self.0.split_first()?;
        let (name, rest) = rest.split_at_checked(usize::from(length))?;
        self.0 = rest;
        Some(name)
    }
}

// === impl Reader ===

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<Self, Malformed> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(Malformed::Length)?;
        let start = self.at;
        self.rest = rest;
        self.at += count;
        Ok(Self {
            rest: taken,
            at: start,
        })
    }

    fn u8(&mut self) -> Result<u8, Malformed> {
        let (&byte, rest) = self.rest.split_first().ok_or(Malformed::Length)?;
        self.rest = rest;
        self.at += 1;
        Ok(byte)
    }

    fn u16(&mut self) -> Result<u16, Malformed> {
        let high = u16::from(self.u8()?);
        Ok(high << 8 | u16::from(self.u8()?))
    }

    /// A list behind a length of two bytes.
    fn list(&mut self) -> Result<Self, Malformed> {
        let length = self.u16()?;
        self.take(usize::from(length))
    }

    /// A list behind a length of one byte.
    fn short_list(&mut self) -> Result<Self, Malformed> {
        let length = self.u8()?;
        self.take(usize::from(length))
    }

    fn end(&self) -> Result<(), Malformed> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(Malformed::Length)
        }
    }

    fn range(&self) -> Range<usize> {
        self.at..self.at + self.rest.len()
    }
}

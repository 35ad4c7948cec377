//! From TLS records to the body of one handshake message (RFC 8446 section 5.1).

use std::borrow::Cow;

use super::Malformed;

/// The record type that a handshake travels in.
pub(crate) const HANDSHAKE: u8 = 22;
/// No hello is waited for beyond this.
pub(crate) const MAX_FLIGHT: usize = HANDSHAKE_HEADER + MAX_BODY + MAX_RECORDS * RECORD_HEADER;

const CLIENT_HELLO: u8 = 1;
const RECORD_HEADER: usize = 5;
const HANDSHAKE_HEADER: usize = 4;
/// A handshake length has three bytes; nobody needs the third.
const MAX_BODY: usize = 0xffff;
/// RFC 8446 section 5.1.
const MAX_FRAGMENT: usize = 1 << 14;
/// Every call walks all records so far, so their number is what a slow sender could make expensive.
const MAX_RECORDS: usize = 256;

/// How far the records lead.
pub(super) enum Reading<'a> {
    /// All of the `ClientHello` less its four-byte header.
    Complete(Cow<'a, [u8]>),
    /// TLS, but wrong.
    Malformed(Malformed),
    /// Fine so far.
    NeedMore,
    /// Not a TLS record at all.
    NotTls,
}

/// The message gathered so far; borrowed while it fits in one record.
enum Message<'a> {
    Borrowed(&'a [u8]),
    Joined(Vec<u8>),
}

/// Takes one `ClientHello` off the front of `bytes`.
pub(super) fn client_hello(bytes: &[u8]) -> Reading<'_> {
    let mut message = Message::Borrowed(&[]);
    let mut rest = bytes;
    for count in 0..MAX_RECORDS {
        let record = match split(rest) {
            Split::Record(record) => record,
            Split::NeedMore => return Reading::NeedMore,
            Split::NotTls if count == 0 => return Reading::NotTls,
            Split::NotTls | Split::Wrong => return Reading::Malformed(Malformed::Record),
        };
        let ahead = message.bytes().len() + record.length;
        // The header is judged before its record is whole, so that garbage does not hold a connection until the deadline.
        message.push(record.fragment);
        match expected(message.bytes()) {
            Err(reason) => return Reading::Malformed(reason),
            Ok(Some(length)) if ahead > length => return Reading::Malformed(Malformed::Record),
            Ok(Some(length)) if message.bytes().len() == length => return message.finish(),
            Ok(_) => {}
        }
        if record.fragment.len() < record.length {
            return Reading::NeedMore;
        }
        rest = record.rest;
    }
    Reading::Malformed(Malformed::TooLarge)
}

/// The first record of some bytes; its fragment may be cut short by their end.
struct Record<'a> {
    fragment: &'a [u8],
    length: usize,
    rest: &'a [u8],
}

enum Split<'a> {
    NeedMore,
    NotTls,
    Record(Record<'a>),
    Wrong,
}

fn split(bytes: &[u8]) -> Split<'_> {
    let known = |at: usize, test: fn(u8) -> bool| bytes.get(at).is_none_or(|&b| test(b));
    let version = known(1, |major| major == 3) && known(2, |minor| minor <= 4);
    if !known(0, |kind| kind == HANDSHAKE) || !version {
        return Split::NotTls;
    }
    let Some((header, rest)) = bytes.split_at_checked(RECORD_HEADER) else {
        return Split::NeedMore;
    };
    let length = usize::from(u16::from_be_bytes([header[3], header[4]]));
    if length == 0 || length > MAX_FRAGMENT {
        return Split::Wrong;
    }
    let (fragment, rest) = rest.split_at(length.min(rest.len()));
    Split::Record(Record {
        fragment,
        length,
        rest,
    })
}

/// The length of the whole message, header included, once its header is there.
fn expected(message: &[u8]) -> Result<Option<usize>, Malformed> {
    if message.first().is_some_and(|&kind| kind != CLIENT_HELLO) {
        return Err(Malformed::NotClientHello);
    }
    let Some(&[_, high, middle, low]) = message.first_chunk::<HANDSHAKE_HEADER>() else {
        return Ok(None);
    };
    if high != 0 {
        return Err(Malformed::TooLarge);
    }
    let body = usize::from(u16::from_be_bytes([middle, low]));
    Ok(Some(HANDSHAKE_HEADER + body))
}

impl<'a> Message<'a> {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Borrowed(bytes) => bytes,
            Self::Joined(bytes) => bytes,
        }
    }

    fn push(&mut self, fragment: &'a [u8]) {
        match self {
            Self::Borrowed([]) => *self = Self::Borrowed(fragment),
            Self::Borrowed(first) => *self = Self::Joined([*first, fragment].concat()),
            Self::Joined(bytes) => bytes.extend_from_slice(fragment),
        }
    }

    fn finish(self) -> Reading<'a> {
        Reading::Complete(match self {
            Self::Borrowed(bytes) => Cow::Borrowed(&bytes[HANDSHAKE_HEADER.min(bytes.len())..]),
            Self::Joined(mut bytes) => {
                bytes.drain(..HANDSHAKE_HEADER.min(bytes.len()));
                Cow::Owned(bytes)
            }
        })
    }
}

//! The `ClientHello` of TLS 1.0 to 1.3 (RFC 8446 section 4.1.2), possibly spread over several records.
//!
//! Borrows from the caller's bytes; copies only when the hello is fragmented. Strict where a lenient reading would let two
//! parsers see two names: one `server_name` extension with exactly one `host_name`, lengths that add up, nothing behind the hello.

mod body;
mod record;

use std::borrow::Cow;
use std::ops::Range;

use crate::{Detection, Known};

pub(crate) use record::{HANDSHAKE, MAX_FLIGHT};

/// What a `ClientHello` says, as far as it matters before the handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientHello<'a> {
    body: Cow<'a, [u8]>,
    server_name: Option<Range<usize>>,
    alpn: Option<Range<usize>>,
    version: u16,
    ech: bool,
}

/// Why something that is TLS is not a `ClientHello` that we answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Two extensions of one kind where one is allowed.
    #[error("an extension that occurs twice")]
    DuplicateExtension,
    /// More than one name in the `server_name` extension.
    #[error("more than one server name")]
    DuplicateName,
    /// A `server_name` extension without a name.
    #[error("an empty server name")]
    EmptyName,
    /// Lengths inside the hello that do not add up.
    #[error("lengths that do not add up")]
    Length,
    /// A server name over 255 bytes, or with bytes that no host name has.
    #[error("a server name that is not a host name")]
    Name,
    /// A name type other than `host_name`.
    #[error("a server name of an unknown type")]
    NameType,
    /// A handshake message of another type comes first.
    #[error("a handshake that does not begin with a client hello")]
    NotClientHello,
    /// An empty or oversized record, one of another type inside the hello, or bytes behind the hello in its record.
    #[error("a record that cannot carry a client hello")]
    Record,
    /// More bytes or more records than any client sends.
    #[error("a client hello that is too large")]
    TooLarge,
    /// A protocol version that is not TLS.
    #[error("a protocol version that is not TLS")]
    Version,
}

// === impl ClientHello ===

impl ClientHello<'_> {
    /// The one name in the `server_name` extension: printable ASCII, 1 to 255 bytes, otherwise as sent.
    #[must_use]
    pub fn server_name(&self) -> Option<&str> {
        let bytes = self.body.get(self.server_name.clone()?)?;
        std::str::from_utf8(bytes).ok()
    }

    /// The application protocols offered, in the client's order; none when there is no such extension.
    pub fn alpn(&self) -> impl Iterator<Item = &[u8]> {
        let list = self.alpn.clone().and_then(|range| self.body.get(range));
        body::Names(list.unwrap_or_default())
    }

    /// The highest version offered that is not reserved for greasing: `0x0303` is TLS 1.2, `0x0304` TLS 1.3.
    #[must_use]
    pub fn version(&self) -> u16 {
        self.version
    }

    /// Whether an `encrypted_client_hello` extension is present. Many clients send one filled with noise (greasing), so
    /// this alone does not say that the name above is a cover.
    #[must_use]
    pub fn ech(&self) -> bool {
        self.ech
    }
}

pub(crate) fn detect(bytes: &[u8]) -> Detection<'_> {
    let hello = match record::client_hello(bytes) {
        record::Reading::Complete(hello) => hello,
        record::Reading::Malformed(reason) => return Detection::Malformed(reason),
        record::Reading::NeedMore => return Detection::NeedMore,
        record::Reading::NotTls => return Detection::Unknown,
    };
    match body::parse(hello) {
        Ok(hello) => Detection::Known(Known::Tls(hello)),
        Err(reason) => Detection::Malformed(reason),
    }
}

//! What the first bytes of a connection say about what is spoken on it.
//!
//! [`detect`] is total and incremental: call it after every read with all bytes so far until it stops saying
//! [`Detection::NeedMore`], which it never does past [`MAX_FIRST_FLIGHT`] bytes. An answer, once given, does not change when
//! more bytes follow. Nothing here reads, waits, decides or keeps state; one file per protocol.

#![forbid(unsafe_code)]

mod http;
mod tls_hello;

pub use tls_hello::{ClientHello, Malformed};

/// With this many bytes at hand [`detect`] has an answer; a caller need never hold more.
pub const MAX_FIRST_FLIGHT: usize = if tls_hello::MAX_FLIGHT > http::MAX_REQUEST_LINE {
    tls_hello::MAX_FLIGHT
} else {
    http::MAX_REQUEST_LINE
};

/// What the first bytes say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Detection<'a> {
    /// A protocol that we know how to open.
    Known(Known<'a>),
    /// TLS without doubt, but no `ClientHello` that a careful server would answer.
    Malformed(Malformed),
    /// Too early to say.
    NeedMore,
    /// None of ours, or a client that waits for the server to speak first.
    Unknown,
}

/// A protocol that we know how to open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known<'a> {
    /// The request line of HTTP/1.0 or 1.1.
    Http1,
    /// The connection preface of HTTP/2 in the clear, RFC 9113 section 3.4.
    Http2,
    /// TLS, with what its first message says.
    Tls(ClientHello<'a>),
}

/// Says what `bytes`, the start of a connection, are.
#[must_use]
pub fn detect(bytes: &[u8]) -> Detection<'_> {
    match bytes.first() {
        None => Detection::NeedMore,
        Some(&tls_hello::HANDSHAKE) => tls_hello::detect(bytes),
        Some(_) => http::detect(bytes),
    }
}

#[cfg(test)]
mod tests;

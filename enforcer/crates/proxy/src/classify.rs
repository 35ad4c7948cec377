//! The first bytes of a connection, read with a deadline and a bound, and what they say.

use std::time::Duration;

use enforcer_detect::{Detection, Known, Malformed, detect};
use enforcer_flow::{Host, HostError};
use tokio::io::{AsyncRead, AsyncReadExt};

/// The most that is read before a protocol must be known; a `ClientHello` may be this large and no more.
const MAX_BYTES: usize = 64 * 1024;
/// Room for the first flight of almost every client.
const FIRST_READ: usize = 4 * 1024;

/// What the first bytes say.
#[derive(Debug)]
pub(crate) enum Class {
    /// HTTP/1 in the clear.
    Http1,
    /// HTTP/2 in the clear, by prior knowledge.
    Http2,
    /// The agent said nothing: the far side speaks first, or nobody does.
    Silent,
    /// A TLS `ClientHello`, and the name in it.
    Tls { name: Option<Host> },
    /// Something else.
    Unknown,
}

/// Why a connection has no class.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unclassified {
    /// The agent closed before it said anything, as port probes and pre-connecting clients do.
    #[error("closed before it said anything")]
    Closed,
    /// It is TLS, but no `ClientHello` to answer.
    #[error("no `ClientHello` to answer: {0:?}")]
    Hello(Malformed),
    /// It closed or failed in the middle of its first message.
    #[error("gone in the middle of its first message")]
    Gone,
    /// Its first message did not come to an end in time.
    #[error("its first message did not end in time")]
    Stalled,
    /// Its first message is longer than the bound.
    #[error("its first message is too long")]
    TooLarge,
    /// The TLS server name is no host name.
    #[error("its TLS server name is no host: {0}")]
    ServerName(HostError),
}

/// How long to wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// For the first byte.
    pub(crate) first_byte: Duration,
    /// For the whole first message.
    pub(crate) message: Duration,
}

/// Reads until the protocol is known. The bytes read are left in `bytes` for whoever speaks next.
pub(crate) async fn classify(
    stream: &mut (impl AsyncRead + Unpin),
    bytes: &mut Vec<u8>,
    patience: Patience,
) -> Result<Class, Unclassified> {
    bytes.reserve(FIRST_READ);
    match tokio::time::timeout(patience.first_byte, stream.read_buf(bytes)).await {
        Err(_) => return Ok(Class::Silent),
        Ok(Err(_)) => return Err(Unclassified::Gone),
        Ok(Ok(0)) => return Err(Unclassified::Closed),
        Ok(Ok(_)) => {}
    }
    let rest = async {
        loop {
            if let Some(class) = judge(bytes)? {
                return Ok(class);
            }
            if bytes.len() >= MAX_BYTES {
                return Err(Unclassified::TooLarge);
            }
            match stream.read_buf(bytes).await {
                Ok(0) | Err(_) => return Err(Unclassified::Gone),
                Ok(_) => {}
            }
        }
    };
    tokio::time::timeout(patience.message, rest)
        .await
        .map_err(|_| Unclassified::Stalled)?
}

fn judge(bytes: &[u8]) -> Result<Option<Class>, Unclassified> {
    Ok(Some(match detect(bytes) {
        Detection::NeedMore => return Ok(None),
        Detection::Malformed(malformed) => return Err(Unclassified::Hello(malformed)),
        Detection::Known(Known::Http1) => Class::Http1,
        Detection::Known(Known::Http2) => Class::Http2,
        Detection::Known(Known::Tls(hello)) => Class::Tls {
            name: hello
                .server_name()
                .map(Host::parse)
                .transpose()
                .map_err(Unclassified::ServerName)?,
        },
        Detection::Unknown => Class::Unknown,
    }))
}

impl Unclassified {
    /// Whether there are bytes that could be passed on as they are.
    pub(crate) fn could_go_on(&self) -> bool {
        match self {
            Self::Closed | Self::Gone => false,
            Self::Hello(_) | Self::ServerName(_) | Self::Stalled | Self::TooLarge => true,
        }
    }

    /// The stable word for the ledger; none when nothing went wrong.
    pub(crate) fn cause(&self) -> Option<&'static str> {
        match self {
            Self::Closed => None,
            Self::Gone => Some("agent_gone"),
            Self::Hello(_) => Some("malformed_client_hello"),
            Self::ServerName(_) => Some("malformed_server_name"),
            Self::Stalled => Some("first_message_timeout"),
            Self::TooLarge => Some("first_message_too_large"),
        }
    }
}

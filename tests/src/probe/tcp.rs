//! Plain sockets: connecting, sending bytes as they are, and how the other side ended it.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;
use serde::{Deserialize, Serialize};

/// More than this is never read.
const READ: usize = 1 << 20;

/// How a connection attempt went.
#[derive(Debug, Serialize, Deserialize)]
pub struct Connected {
    /// The peer as the kernel shows it, when it worked.
    pub peer: Option<SocketAddr>,
    /// Why not, otherwise.
    pub error: Option<String>,
}

/// What came back.
#[derive(Debug, Serialize, Deserialize)]
pub struct Exchange {
    /// Everything received.
    pub received: String,
    /// `closed`, `refused`, `reset`, `timeout` or the error's text.
    pub ending: String,
}

/// What `raw` is told.
#[derive(Debug, Args)]
pub(super) struct Raw {
    /// The address
    to: SocketAddr,
    /// Send this text; `\r`, `\n`, `\0` and `\xHH` mean what they do in C
    #[arg(long, default_value = "")]
    text: String,
    /// Say that nothing more will follow
    #[arg(long)]
    half_close: bool,
    /// Close right after sending
    #[arg(long)]
    leave: bool,
    /// How long to wait for the other side
    #[arg(long, default_value_t = 5_000)]
    patience_ms: u64,
}

/// What `udp` is told.
#[derive(Debug, Args)]
pub(super) struct Datagram {
    /// The address
    to: SocketAddr,
    /// What to send
    #[arg(long, default_value = "hello")]
    text: String,
}

pub(super) fn connect(to: SocketAddr, patience: Duration) -> Connected {
    let found = TcpStream::connect_timeout(&to, patience).and_then(|stream| stream.peer_addr());
    match found {
        Ok(peer) => Connected {
            peer: Some(peer),
            error: None,
        },
        Err(error) => Connected {
            peer: None,
            error: Some(word(&error)),
        },
    }
}

pub(super) fn exchange(raw: &Raw) -> anyhow::Result<Exchange> {
    let patience = Duration::from_millis(raw.patience_ms);
    let bytes = unescape(&raw.text)?;
    let mut received = Vec::new();
    let ending = match talk(raw, &bytes, patience, &mut received) {
        Ok(()) => "closed".to_owned(),
        Err(error) => word(&error),
    };
    Ok(Exchange {
        received: String::from_utf8_lossy(&received).into_owned(),
        ending,
    })
}

/// Sends one datagram; the error's word when the kernel refused.
pub(super) fn send(datagram: &Datagram) -> Option<String> {
    let sent = || -> io::Result<()> {
        let socket = match datagram.to {
            SocketAddr::V4(_) => UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?,
            SocketAddr::V6(_) => UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0))?,
        };
        socket.send_to(datagram.text.as_bytes(), datagram.to)?;
        Ok(())
    };
    sent().err().map(|error| word(&error))
}

/// One word for the errors that tests ask about.
pub(super) fn word(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::ConnectionRefused => "refused".to_owned(),
        ErrorKind::ConnectionReset => "reset".to_owned(),
        ErrorKind::PermissionDenied => "denied".to_owned(),
        ErrorKind::TimedOut | ErrorKind::WouldBlock => "timeout".to_owned(),
        _ => error.to_string(),
    }
}

fn talk(raw: &Raw, bytes: &[u8], patience: Duration, received: &mut Vec<u8>) -> io::Result<()> {
    let mut stream = TcpStream::connect_timeout(&raw.to, patience)?;
    stream.write_all(bytes)?;
    if raw.leave {
        return Ok(());
    }
    if raw.half_close {
        stream.shutdown(Shutdown::Write)?;
    }
    let until = Instant::now() + patience;
    let mut piece = [0; 4096];
    while received.len() < READ {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(&mut piece)? {
            0 => return Ok(()),
            length => received.extend_from_slice(&piece[..length]),
        }
    }
    Ok(())
}

fn unescape(text: &str) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes().iter().copied();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        match rest.next() {
            Some(b'0') => bytes.push(0),
            Some(b'\\') => bytes.push(b'\\'),
            Some(b'n') => bytes.push(b'\n'),
            Some(b'r') => bytes.push(b'\r'),
            Some(b'x') => {
                let digits: Vec<u8> = rest.by_ref().take(2).collect();
                let digits = std::str::from_utf8(&digits)?;
                bytes.push(u8::from_str_radix(digits, 16).context("two digits follow \\x")?);
            }
            _ => anyhow::bail!("unknown escape in `{text}`"),
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::unescape;

    #[test]
    fn escapes_become_bytes() {
        let bytes = unescape(r"\x16\x03a\r\n\\\0").expect("a text");
        assert_eq!(bytes, b"\x16\x03a\r\n\\\0");
        assert!(unescape(r"\q").is_err());
        assert!(unescape(r"\x1").is_ok_and(|bytes| bytes == [1]));
    }
}

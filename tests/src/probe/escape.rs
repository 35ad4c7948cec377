//! Every kind of socket that might get past a hook on TCP connects, tried towards one address.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use socket2::{Domain, Protocol, Socket, Type};

use crate::probe::tcp::word;

const MPTCP: i32 = 262;
const SCTP: i32 = 132;
const UDP_LITE: i32 = 136;
const MSG_FASTOPEN: i32 = 0x2000_0000;
/// A ping that says nothing: type 8, its checksum, identifier and sequence zero.
const PING: [u8; 8] = [8, 0, 0xf7, 0xff, 0, 0, 0, 0];

/// One way that was tried.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Attempt {
    /// Which.
    pub way: String,
    /// `sent`, `connected`, or why it went no further.
    pub outcome: String,
}

/// Tries everything towards `to`, and towards its IPv4-mapped form.
pub(super) fn all(to: SocketAddr, patience: Duration) -> Vec<Attempt> {
    let tcp = Protocol::TCP;
    let mapped = mapped(to);
    let mut attempts = vec![
        attempt("tcp", || connect(to, Type::STREAM, tcp, patience)),
        attempt("tcp fast open", || fast_open(to, patience)),
        attempt("tcp bound to a device", || bound(to, patience)),
        attempt("mptcp", || {
            connect(to, Type::STREAM, Protocol::from(MPTCP), patience)
        }),
        attempt("sctp", || {
            connect(to, Type::STREAM, Protocol::from(SCTP), patience)
        }),
        attempt("udp", || send(to, Type::DGRAM, Some(Protocol::UDP))),
        attempt("udp connected", || {
            connect(to, Type::DGRAM, Protocol::UDP, patience)
        }),
        attempt("udp-lite", || {
            send(to, Type::DGRAM, Some(Protocol::from(UDP_LITE)))
        }),
        attempt("ping socket", || ping(to, Type::DGRAM)),
        attempt("raw icmp", || ping(to, Type::RAW)),
    ];
    if let Some(mapped) = mapped {
        attempts.push(attempt("tcp mapped", || {
            connect(mapped, Type::STREAM, tcp, patience)
        }));
        attempts.push(attempt("udp mapped", || {
            send(mapped, Type::DGRAM, Some(Protocol::UDP))
        }));
    }
    attempts
}

fn attempt(way: &str, deed: impl FnOnce() -> io::Result<&'static str>) -> Attempt {
    let outcome = match deed() {
        Ok(done) => done.to_owned(),
        Err(error) => word(&error),
    };
    Attempt {
        way: way.to_owned(),
        outcome,
    }
}

/// Connects and pushes a few bytes, so that something would leave.
fn connect(
    to: SocketAddr,
    kind: Type,
    protocol: Protocol,
    patience: Duration,
) -> io::Result<&'static str> {
    let socket = Socket::new(Domain::for_address(to), kind, Some(protocol))?;
    socket.connect_timeout(&to.into(), patience)?;
    socket.send(b"escape")?;
    Ok("connected")
}

fn bound(to: SocketAddr, patience: Duration) -> io::Result<&'static str> {
    let socket = Socket::new(Domain::for_address(to), Type::STREAM, None)?;
    socket.bind_device(Some(b"up0"))?;
    socket.connect_timeout(&to.into(), patience)?;
    Ok("connected")
}

fn fast_open(to: SocketAddr, patience: Duration) -> io::Result<&'static str> {
    let socket = Socket::new(Domain::for_address(to), Type::STREAM, None)?;
    socket.set_write_timeout(Some(patience))?;
    socket.send_to_with_flags(b"escape", &to.into(), MSG_FASTOPEN)?;
    Ok("connected")
}

fn send(to: SocketAddr, kind: Type, protocol: Option<Protocol>) -> io::Result<&'static str> {
    let socket = Socket::new(Domain::for_address(to), kind, protocol)?;
    socket.send_to(b"escape", &to.into())?;
    Ok("sent")
}

fn ping(to: SocketAddr, kind: Type) -> io::Result<&'static str> {
    let IpAddr::V4(address) = to.ip() else {
        return Err(io::ErrorKind::Unsupported.into());
    };
    let socket = Socket::new(Domain::IPV4, kind, Some(Protocol::ICMPV4))?;
    socket.send_to(&PING, &SocketAddr::from((address, 0)).into())?;
    Ok("sent")
}

fn mapped(to: SocketAddr) -> Option<SocketAddr> {
    match to.ip() {
        IpAddr::V4(address) => Some(SocketAddr::from((address.to_ipv6_mapped(), to.port()))),
        IpAddr::V6(_) => None,
    }
}

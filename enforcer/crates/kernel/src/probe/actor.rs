//! The child that does what agents do, and says on standard output what came of it: a line for each act.

use std::fs::OpenOptions;
use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr as UnixAddr, UnixDatagram, UnixListener, UnixStream};
use std::path::Path;
use std::process;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};

/// The last line.
pub(super) const DONE: &str = "done";
/// Where it asks to go: addresses for documentation, RFC 5737 and RFC 3849.
pub(super) const TARGET4: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 9);
pub(super) const TARGET6: SocketAddr = SocketAddr::new(
    IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
    9,
);
/// An address that the enforcer gives out for names.
const SYNTHETIC: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(198, 18, 0, 1)), 9);
/// Where nobody listens.
const NOWHERE: &str = "/enforcer-probe";
const PATIENCE: Duration = Duration::from_secs(2);

/// Acts, and waits until its input ends. `port` is that of our listener at 127.0.0.1.
///
/// # Errors
/// When it cannot speak.
pub fn act(port: u16) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let mut say = |name: &str, what: String| writeln!(out, "{name} {what}");
    say(
        "raw",
        refusal(Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::ICMPV4))),
    )?;
    say(
        "bind4",
        refusal(TcpListener::bind((Ipv4Addr::new(127, 0, 0, 2), port))),
    )?;
    say(
        "bind6",
        refusal(TcpListener::bind((Ipv6Addr::LOCALHOST, port))),
    )?;
    say("unix_stream", refusal(UnixStream::connect(NOWHERE)))?;
    say("unix_datagram", refusal(unix_datagram()))?;
    say("join", refusal(join()))?;
    say("udp4", refusal(send(TARGET4)))?;
    say("udp6", refusal(send(TARGET6)))?;
    say("packet", refusal(packet()))?;
    say("lookup4", lookup(TARGET4))?;
    say("lookup6", lookup(TARGET6))?;
    let four = TcpStream::connect_timeout(&TARGET4, PATIENCE);
    say("tcp4", connection(&four))?;
    say("peer4", peer(&four, TARGET4))?;
    let six = TcpStream::connect_timeout(&TARGET6, PATIENCE);
    say("tcp6", connection(&six))?;
    say("peer6", peer(&six, TARGET6))?;
    writeln!(out, "{DONE}")?;
    out.flush()?;
    // What is open must stay so until it was looked at.
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

/// Does what the programs for the kernel's security modules are to refuse: opens `procs` for writing, the list of processes
/// of a cgroup that is not its own, asks for a socket of a family that is not given out, and connects and sends to unix sockets.
///
/// # Errors
/// When it cannot speak.
pub fn act_lsm(procs: &Path) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let family = refusal(Socket::new(Domain::VSOCK, Type::STREAM, None));
    writeln!(out, "lsm_socket {family}")?;
    let moving = refusal(OpenOptions::new().write(true).open(procs));
    writeln!(out, "lsm_cgroup {moving}")?;
    let [connected, sent] = unix_by_name()?;
    writeln!(out, "lsm_unix_connect {connected}")?;
    writeln!(out, "lsm_unix_send {sent}")?;
    writeln!(out, "{DONE}")?;
    out.flush()
}

fn refusal<T>(done: io::Result<T>) -> String {
    match done {
        Ok(_) => "done".to_owned(),
        Err(error) if error.raw_os_error() == Some(libc::EPERM) => "refused".to_owned(),
        Err(error) => error.to_string(),
    }
}

fn any(to: SocketAddr) -> SocketAddr {
    match to {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    }
}

fn join() -> io::Result<()> {
    let socket = UdpSocket::bind(any(TARGET4))?;
    socket.join_multicast_v4(&Ipv4Addr::new(224, 0, 0, 251), &Ipv4Addr::LOCALHOST)
}

fn unix_datagram() -> io::Result<usize> {
    UnixDatagram::unbound()?.send_to(b"x", NOWHERE)
}

/// By names without a file, which need no place to stand in.
fn unix_by_name() -> io::Result<[String; 2]> {
    let name = |kind| UnixAddr::from_abstract_name(format!("enforcer-{kind}-{}", process::id()));
    let (stream, datagram) = (name("stream")?, name("datagram")?);
    let _listener = UnixListener::bind_addr(&stream)?;
    let _receiver = UnixDatagram::bind_addr(&datagram)?;
    Ok([
        refusal(UnixStream::connect_addr(&stream)),
        refusal(UnixDatagram::unbound()?.send_to_addr(b"x", &datagram)),
    ])
}

fn send(to: SocketAddr) -> io::Result<usize> {
    UdpSocket::bind(any(to))?.send_to(b"x", to)
}

fn packet() -> io::Result<usize> {
    let socket = UdpSocket::bind(any(SYNTHETIC))?;
    socket.connect(SYNTHETIC)?;
    socket.send(b"x")
}

/// A lookup at a server of its choice, and who answered it.
fn lookup(server: SocketAddr) -> String {
    let server = SocketAddr::new(server.ip(), 53);
    let asked = || -> io::Result<SocketAddr> {
        let socket = UdpSocket::bind(any(server))?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.send_to(b"query", server)?;
        Ok(socket.recv_from(&mut [0; 64])?.1)
    };
    match asked() {
        Ok(from) if from == server => "as_asked".to_owned(),
        Ok(from) => format!("answered by {from}"),
        Err(error) => error.to_string(),
    }
}

fn connection(stream: &io::Result<TcpStream>) -> String {
    match stream {
        Ok(_) => "connected".to_owned(),
        Err(error) => error.to_string(),
    }
}

fn peer(stream: &io::Result<TcpStream>, asked: SocketAddr) -> String {
    match stream.as_ref().map(TcpStream::peer_addr) {
        Ok(Ok(peer)) if peer == asked => "as_asked".to_owned(),
        Ok(Ok(peer)) => format!("shown as {peer}"),
        Ok(Err(error)) => error.to_string(),
        Err(error) => error.to_string(),
    }
}

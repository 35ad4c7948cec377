//! The outside: a namespace in which every address exists, and a sniffer that sees whatever arrives from the host's side.
//!
//! "Nothing arrived" counts only because something could have: each look at the capture first sends a marker through the same
//! wire and waits until the sniffer has seen it.

use std::io::Read as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde::Serialize;
use socket2::{Domain, Protocol, Socket, Type};

use crate::namespace::Namespace;

mod packet;

pub use packet::Packet;

/// The host's side of the wire.
pub const HOST_V4: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 2);
/// The world's side of the wire.
pub const WORLD_V4: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);
/// The host's side of the wire, IPv6.
pub const HOST_V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0x51, 0, 0, 0, 0, 2);
/// The world's side of the wire, IPv6.
pub const WORLD_V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0x51, 0, 0, 0, 0, 1);
/// Ports on which the world accepts TCP, at any address.
pub const OPEN_PORTS: [u16; 4] = [53, 80, 443, 4444];

const MARKER_PORT: u16 = 7;
const MARKER_PATIENCE: Duration = Duration::from_secs(10);
/// How long a visitor waits for each answer.
const VISIT: Duration = Duration::from_millis(700);
const ETH_P_ALL: u16 = 3;
const KEPT: usize = 100_000;

/// The outside world of one host namespace.
#[derive(Debug)]
pub struct World {
    host: Arc<Namespace>,
    shared: Arc<Shared>,
    sniffer: Option<JoinHandle<()>>,
    next_marker: AtomicU16,
    namespace: Namespace,
    // Held so that the open ports exist.
    _listeners: Vec<TcpListener>,
}

/// What the world has received.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Capture {
    /// Every packet that came from the host's side, neighbour discovery apart.
    pub packets: Vec<Packet>,
}

#[derive(Debug, Default)]
struct Shared {
    stop: AtomicBool,
    seen: Mutex<Seen>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Seen {
    packets: Vec<Packet>,
    markers: Vec<u16>,
}

// === impl World ===

impl World {
    /// Puts a world at the end of a wire from `host`, and points the host's default routes at it.
    ///
    /// # Errors
    /// When not root, or `ip` cannot make the wire.
    pub fn new(host: Arc<Namespace>) -> anyhow::Result<Self> {
        let namespace = Namespace::new()?;
        wire(&host, &namespace)?;
        let socket = namespace.run(sniffing_socket)??;
        let listeners = namespace.run(open_ports)??;
        let shared = Arc::new(Shared::default());
        let watched = Arc::clone(&shared);
        let sniffer = thread::Builder::new()
            .name("sniffer".to_owned())
            .spawn(move || sniff(socket, &watched))?;
        Ok(Self {
            host,
            shared,
            sniffer: Some(sniffer),
            next_marker: AtomicU16::new(1),
            namespace,
            _listeners: listeners,
        })
    }

    /// What arrived so far; a marker sent now has arrived after it.
    ///
    /// # Errors
    /// When the marker does not arrive: then silence proves nothing.
    pub fn capture(&self) -> anyhow::Result<Capture> {
        let marker = self.next_marker.fetch_add(1, Ordering::Relaxed);
        let far = SocketAddr::from((WORLD_V4, MARKER_PORT));
        let send = || -> anyhow::Result<()> {
            let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
            socket.send_to(&marker.to_be_bytes(), far)?;
            Ok(())
        };
        self.host.run(send)??;
        let until = Instant::now() + MARKER_PATIENCE;
        let mut seen = self.shared.lock();
        while !seen.markers.contains(&marker) {
            let left = until.saturating_duration_since(Instant::now());
            anyhow::ensure!(!left.is_zero(), "the sniffer does not see the wire");
            let waited = self.shared.changed.wait_timeout(seen, left);
            seen = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(Capture {
            packets: seen.packets.clone(),
        })
    }

    /// Where it is.
    #[must_use]
    pub fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    /// Has somebody at `from` connect to an address on the host's side, and waits a moment to be sent something: what he
    /// received, nothing if he was not let in.
    ///
    /// # Errors
    /// When the world cannot be entered or the address cannot be had.
    pub fn visit(&self, from: Ipv4Addr, to: SocketAddr) -> anyhow::Result<Vec<u8>> {
        let address = format!("{from}/32");
        self.namespace
            .ip(&["addr", "replace", &address, "dev", "lo"])?;
        let visit = || -> std::io::Result<Vec<u8>> {
            let mut socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
            socket.bind(&SocketAddr::from((from, 0)).into())?;
            socket.connect_timeout(&to.into(), VISIT)?;
            socket.set_read_timeout(Some(VISIT))?;
            let mut received = vec![0; 64];
            let length = socket.read(&mut received)?;
            received.truncate(length);
            Ok(received)
        };
        Ok(self.namespace.run(visit)?.unwrap_or_default())
    }

    /// Forgets what arrived so far.
    ///
    /// # Errors
    /// As [`World::capture`].
    pub fn forget(&self) -> anyhow::Result<()> {
        self.capture()?;
        self.shared.lock().packets.clear();
        Ok(())
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        if let Some(sniffer) = self.sniffer.take() {
            let _ = sniffer.join();
        }
    }
}

// === impl Shared ===

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, bytes: &[u8]) {
        let Some(packet) = Packet::parse(bytes) else {
            return;
        };
        let host = [IpAddr::V4(HOST_V4), IpAddr::V6(HOST_V6)];
        // What is for the host came from the world: its answers pass the same wire.
        if host.contains(&packet.destination) || packet.is_housekeeping() {
            return;
        }
        let mut seen = self.lock();
        if packet.destination_port == Some(MARKER_PORT) {
            let tail = bytes.last_chunk::<2>().copied().unwrap_or_default();
            seen.markers.push(u16::from_be_bytes(tail));
        } else if seen.packets.len() < KEPT {
            seen.packets.push(packet);
        }
        self.changed.notify_all();
    }
}

fn wire(host: &Namespace, world: &Namespace) -> anyhow::Result<()> {
    let there = world.path();
    host.ip(&[
        "link", "add", "up0", "type", "veth", "peer", "name", "down0", "netns", &there,
    ])?;
    let host_v6 = format!("{HOST_V6}/64");
    let world_v6 = format!("{WORLD_V6}/64");
    host.ip(&["addr", "add", &format!("{HOST_V4}/24"), "dev", "up0"])?;
    host.ip(&["addr", "add", &host_v6, "dev", "up0", "nodad"])?;
    host.ip(&["link", "set", "up0", "up"])?;
    world.ip(&["addr", "add", &format!("{WORLD_V4}/24"), "dev", "down0"])?;
    world.ip(&["addr", "add", &world_v6, "dev", "down0", "nodad"])?;
    world.ip(&["link", "set", "down0", "up"])?;
    // Every address is the world's own, so that whoever reaches it is answered. In the table of local routes, which is asked
    // first, this would swallow the way back.
    let everything = ["local", "default", "dev", "lo", "table", "main"];
    world.ip(&[&["route", "add"], &everything[..]].concat())?;
    world.ip(&[&["-6", "route", "add"], &everything[..]].concat())?;
    host.ip(&["route", "add", "default", "via", &WORLD_V4.to_string()])?;
    host.ip(&[
        "-6",
        "route",
        "add",
        "default",
        "via",
        &WORLD_V6.to_string(),
    ])
}

fn open_ports() -> anyhow::Result<Vec<TcpListener>> {
    let bind = |port| TcpListener::bind((Ipv6Addr::UNSPECIFIED, port));
    let all: std::io::Result<Vec<_>> = OPEN_PORTS.into_iter().map(bind).collect();
    all.context("listen in the world")
}

fn sniffing_socket() -> anyhow::Result<Socket> {
    let everything = Protocol::from(i32::from(ETH_P_ALL.to_be()));
    let socket = Socket::new(Domain::PACKET, Type::DGRAM, Some(everything))?;
    socket.set_recv_buffer_size(8 << 20)?;
    // Only so that the thread notices when it shall stop.
    socket.set_read_timeout(Some(Duration::from_millis(50)))?;
    Ok(socket)
}

fn sniff(mut socket: Socket, shared: &Shared) {
    let mut frame = vec![0; 65_536];
    while !shared.stop.load(Ordering::Relaxed) {
        if let Ok(length) = socket.read(&mut frame) {
            shared.note(&frame[..length]);
        }
    }
}

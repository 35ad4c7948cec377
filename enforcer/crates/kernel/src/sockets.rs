//! Sockets that a cgroup's processes had connected before its programs were there: found, and destroyed.
//!
//! The programs' backstop drops what such a socket sends, but its owner would wait for answers that cannot come. Destroying it
//! (`SOCK_DESTROY` of sock_diag(7)) tells the owner at once. To be done when the programs hang: then none is connected anew.

use std::collections::HashSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::os::fd::AsFd as _;
use std::path::Path;

use enforcer_flow::CgroupId;
use netlink_packet_core::{
    NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, NetlinkDeserializable, NetlinkHeader, NetlinkMessage,
    NetlinkPayload, NetlinkSerializable, Nla as _,
};
use netlink_packet_sock_diag::inet::{
    ExtensionFlags, InetRequest, InetResponse, SocketId, StateFlags, nlas::Nla,
};
use netlink_packet_sock_diag::{SockDiagDestroy, SockDiagMessage};
use netlink_sys::{Socket, SocketAddr as Port, protocols::NETLINK_SOCK_DIAG};

use crate::{KernelError, Loopback, Netns, cgroup, netns};

/// The attribute that names a socket's cgroup: `INET_DIAG_CGROUP_ID` of `linux/inet_diag.h`.
const CGROUP_ID: u16 = 21;
/// How long the kernel may take for one answer, which it gives at once.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);
const BUFFER: usize = 64 * 1024;

/// A kind of socket that can be connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// A connected socket of a cgroup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connected {
    /// What it speaks.
    pub transport: Transport,
    /// Its own end.
    pub local: SocketAddr,
    /// Its far end.
    pub peer: SocketAddr,
    /// Who made it.
    pub uid: u32,
    /// The cgroup it was made in: the one that was asked about, or one below it.
    pub cgroup: CgroupId,
    family: u8,
    id: SocketId,
}

/// Finds the connected sockets, in one network namespace, of the cgroup that `dir` is and of those below it. Where loopback is
/// left alone, so are sockets that stay on it.
///
/// # Errors
/// When the namespace cannot be entered, or the kernel does not list its sockets.
pub fn connected(
    netns: &Netns,
    dir: &Path,
    loopback: Loopback,
) -> Result<Vec<Connected>, KernelError> {
    let cgroups = cgroup::subtree(dir)?;
    let found = netns::within(netns.as_fd(), || {
        let listed = |error| KernelError::call("listing sockets", error);
        let mut found = Vec::new();
        for transport in [Transport::Tcp, Transport::Udp] {
            for family in [libc::AF_INET, libc::AF_INET6] {
                found.extend(list(transport, byte(family), &cgroups).map_err(listed)?);
            }
        }
        Ok(found)
    })?;
    Ok(found
        .into_iter()
        .filter(|socket| loopback == Loopback::Redirect || !stays(socket.peer.ip()))
        .collect())
}

/// Destroys sockets that [`connected`] found in the same namespace. Returns how many there were still.
///
/// # Errors
/// When the namespace cannot be entered, or the kernel cannot destroy sockets: it needs `CONFIG_INET_DIAG_DESTROY`.
pub fn destroy(netns: &Netns, sockets: &[Connected]) -> Result<usize, KernelError> {
    netns::within(netns.as_fd(), || {
        let failed = |error| KernelError::call("destroying a socket", error);
        let mut count = 0;
        for socket in sockets {
            match ask_to_destroy(socket) {
                Ok(()) => count += 1,
                // It has ended by itself.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(count)
    })
}

/// Whether this kernel destroys sockets, found out by doing it to one of our own.
///
/// # Errors
/// When that one cannot be made.
pub fn can_be_destroyed() -> Result<bool, KernelError> {
    let failed = |error| KernelError::call("connecting a socket to itself", error);
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed)?;
    let local = socket.local_addr().map_err(failed)?;
    socket.connect(local).map_err(failed)?;
    let own = Connected {
        transport: Transport::Udp,
        local,
        peer: local,
        uid: 0,
        cgroup: CgroupId(0),
        family: byte(libc::AF_INET),
        id: SocketId {
            source_port: local.port(),
            destination_port: local.port(),
            source_address: local.ip(),
            destination_address: local.ip(),
            interface_id: 0,
            // Any socket of these addresses.
            cookie: [0xff; 8],
        },
    };
    Ok(ask_to_destroy(&own).is_ok())
}

// === impl Transport ===

impl Transport {
    fn protocol(self) -> u8 {
        match self {
            Self::Tcp => byte(libc::IPPROTO_TCP),
            Self::Udp => byte(libc::IPPROTO_UDP),
        }
    }

    /// The stable word for the ledger.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

// === impl Connected ===

impl Connected {
    fn of(
        transport: Transport,
        response: &InetResponse,
        cgroups: &HashSet<CgroupId>,
    ) -> Option<Self> {
        let cgroup = response.nlas.iter().find_map(cgroup_of)?;
        let header = &response.header;
        let id = &header.socket_id;
        cgroups.contains(&cgroup).then(|| Self {
            transport,
            local: SocketAddr::new(id.source_address.to_canonical(), id.source_port),
            peer: SocketAddr::new(id.destination_address.to_canonical(), id.destination_port),
            uid: header.uid,
            cgroup,
            family: header.family,
            id: id.clone(),
        })
    }
}

fn cgroup_of(attribute: &Nla) -> Option<CgroupId> {
    let Nla::Other(attribute) = attribute else {
        return None;
    };
    let mut value = [0; 8];
    if attribute.kind() != CGROUP_ID || attribute.value_len() != value.len() {
        return None;
    }
    attribute.emit_value(&mut value);
    Some(CgroupId(u64::from_ne_bytes(value)))
}

fn list(
    transport: Transport,
    family: u8,
    cgroups: &HashSet<CgroupId>,
) -> io::Result<Vec<Connected>> {
    let request = request(transport, family, SocketId::new_v4());
    let mut found = Vec::new();
    converse(
        SockDiagMessage::InetRequest(request),
        NLM_F_DUMP,
        |message| {
            if let SockDiagMessage::InetResponse(response) = message {
                found.extend(Connected::of(transport, &response, cgroups));
            }
        },
    )?;
    Ok(found)
}

fn ask_to_destroy(socket: &Connected) -> io::Result<()> {
    let request = request(socket.transport, socket.family, socket.id.clone());
    let request = SockDiagDestroy::new(SockDiagMessage::InetRequest(request));
    converse(request, NLM_F_ACK, drop)
}

fn request(transport: Transport, family: u8, socket_id: SocketId) -> InetRequest {
    // Those that can send: a connected UDP socket counts as established.
    let idle =
        StateFlags::LISTEN | StateFlags::CLOSE | StateFlags::TIME_WAIT | StateFlags::SYN_RECV;
    InetRequest {
        family,
        protocol: transport.protocol(),
        extensions: ExtensionFlags::empty(),
        states: StateFlags::all().difference(idle),
        socket_id,
    }
}

/// Sends one request and takes every answer to it.
fn converse<M>(request: M, flags: u16, mut take: impl FnMut(M)) -> io::Result<()>
where
    M: NetlinkSerializable + NetlinkDeserializable + std::fmt::Debug,
{
    let mut socket = Socket::new(NETLINK_SOCK_DIAG)?;
    socket2::SockRef::from(&socket).set_read_timeout(Some(PATIENCE))?;
    socket.bind_auto()?;
    socket.connect(&Port::new(0, 0))?;
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_REQUEST | flags;
    let mut packet = NetlinkMessage::new(header, NetlinkPayload::InnerMessage(request));
    packet.finalize();
    let mut bytes = vec![0; packet.buffer_len()];
    packet.serialize(&mut bytes);
    socket.send(&bytes, 0)?;
    let mut buffer = Vec::with_capacity(BUFFER);
    loop {
        buffer.clear();
        let length = socket.recv(&mut buffer, 0)?;
        let mut rest = buffer.get(..length).unwrap_or_default();
        while !rest.is_empty() {
            let message = NetlinkMessage::<M>::deserialize(rest).map_err(io::Error::other)?;
            let step = usize::try_from(message.header.length)
                .unwrap_or(usize::MAX)
                .next_multiple_of(4);
            match message.payload {
                NetlinkPayload::InnerMessage(message) => take(message),
                NetlinkPayload::Done(_) => return Ok(()),
                NetlinkPayload::Error(answer) => {
                    return match answer.code {
                        None => Ok(()),
                        Some(_) => Err(answer.to_io()),
                    };
                }
                _ => {}
            }
            rest = rest.get(step..).unwrap_or_default();
        }
    }
}

fn stays(peer: IpAddr) -> bool {
    peer.to_canonical().is_loopback()
}

/// Numbers of families and protocols that are below 256 and that libc has as wider ones.
fn byte(number: libc::c_int) -> u8 {
    u8::try_from(number).unwrap_or(u8::MAX)
}

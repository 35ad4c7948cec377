//! The backstop: whatever the other hooks missed (sockets from before they were attached, replies on inbound connections)
//! goes nowhere. Only packets to our listeners leave, and in a namespace of the workload's own those on loopback.

use aya_ebpf::Global;
use aya_ebpf::bindings::{__sk_buff, BPF_SK_STORAGE_GET_F_CREATE};
use aya_ebpf::helpers::generated::bpf_get_netns_cookie;
use aya_ebpf::programs::SkBuffContext;
use enforcer_common::netns_flag::LOOPBACK_EXEMPT;
use enforcer_common::{Address, DNS_PORT, Hook, NetnsEntry, OriginKey, Reason, ipproto};

use crate::event::{Refusal, refuse, refuse_always, refuse_unknown};
use crate::maps::LOOKUPS;
use crate::socket::{self, Socket, hundredths, state};
use crate::verdict::{Carrier, changes, listeners, own_port};
use crate::{PASS, workload};

/// Whether packets' programs may ask for their network namespace (Linux 6.15). Set by the daemon before it loads; where it
/// is zero the verifier never sees the call.
#[unsafe(no_mangle)]
static NETNS_AT_EGRESS: Global<u8> = Global::new(0);

/// `LOOPBACK_IFINDEX` of net/net_namespace.h.
const LOOPBACK_DEVICE: u32 = 1;
const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;
const ETH_IPV4: u16 = 0x0800;
const ETH_IPV6: u16 = 0x86dd;
/// The first byte of a header without options.
const PLAIN_IPV4: u8 = 0x45;
const IPV4_HEADER: usize = 20;
/// Both ports of TCP and of UDP.
const PORTS: usize = 4;
const IPV6_HEADER: usize = 40;

/// What the headers say.
struct Packet {
    family: u16,
    protocol: u32,
    source: Address,
    destination: Address,
    /// Zero unless the protocol is TCP or UDP, right behind a plain header.
    source_port: u16,
    destination_port: u16,
}

/// Lets leave or drops one packet.
#[inline(always)]
pub fn egress(ctx: &SkBuffContext) -> i32 {
    let changes = changes();
    match entry(ctx) {
        Some(socket) if is_settled(ctx, socket, changes) => PASS,
        found => judge(ctx, found, changes),
    }
}

/// Judges a packet by all that is known.
#[inline(always)]
fn judge(ctx: &SkBuffContext, found: Option<&mut Socket>, changes: u32) -> i32 {
    let packet = parse(ctx);
    let Some(socket) = found else {
        let cgroup = workload::labelled_sender(ctx.skb.skb).unwrap_or(0);
        return refuse_unknown(&refusal(&packet, 0), cgroup, Reason::Backstop);
    };
    let netns = socket.key.netns;
    if workload::is_quarantined(socket.origin.cgroup) {
        return refuse_always(&refusal(&packet, netns), socket, Reason::Quarantined);
    }
    if socket.state == state::PROBE && packet.protocol == ipproto::UDP {
        let refusal = Refusal {
            ip: socket.origin.ip,
            port: socket.origin.port,
            ..refusal(&packet, netns)
        };
        return refuse_always(&refusal, socket, Reason::Protocol);
    }
    match listeners(netns) {
        Some(entry) if stays_here(ctx) && permitted(&entry, &packet, socket) => {
            if socket.listener == entry.tcp_port {
                socket.settled = changes;
            }
            PASS
        }
        _ => refuse(&refusal(&packet, netns), Some(socket), Reason::Backstop),
    }
}

/// Whether the packet is one more of a connection to our listener, and nothing was changed since the last one passed: most
/// are, and this costs a fraction of judging anew.
#[inline(always)]
fn is_settled(ctx: &SkBuffContext, socket: &Socket, changes: u32) -> bool {
    if changes == 0 || socket.settled != changes || !socket.is_bent() || !stays_here(ctx) {
        return false;
    }
    let raw: *mut __sk_buff = ctx.skb.skb;
    // SAFETY: the kernel hands a valid context to every program of this type.
    let (start, end) = unsafe { ((*raw).data as usize, (*raw).data_end as usize) };
    if start + IPV4_HEADER + PORTS > end {
        return false;
    }
    let header = start as *const u8;
    // SAFETY: the verifier saw that so many bytes are there; they have no alignment to speak of.
    unsafe {
        *header == PLAIN_IPV4
            && u32::from(*header.add(9)) == ipproto::TCP
            && header.add(16).cast::<u32>().read_unaligned() == Address::LOOPBACK4.words[3]
            && header.add(IPV4_HEADER + 2).cast::<u16>().read_unaligned() == socket.listener.to_be()
    }
}

/// Whether the packet goes by the loopback device, which is the first of every network namespace. A socket bound to another
/// device (`SO_BINDTODEVICE`, socket(7)) would send what is addressed to 127.0.0.1 out on the wire.
#[inline(always)]
fn stays_here(ctx: &SkBuffContext) -> bool {
    // SAFETY: the kernel hands a valid context to every program of this type.
    let device = unsafe { (&raw const (*ctx.skb.skb).ifindex).read_volatile() };
    device == LOOPBACK_DEVICE
}

#[inline(always)]
fn permitted(entry: &NetnsEntry, packet: &Packet, socket: &mut Socket) -> bool {
    let carrier = match packet.protocol {
        ipproto::TCP => Carrier::Stream,
        ipproto::UDP => Carrier::Datagram,
        _ => return false,
    };
    if !packet.destination.is_loopback() || packet.destination_port == 0 {
        return false;
    }
    if packet.destination_port != own_port(entry, carrier) {
        return entry.flags & LOOPBACK_EXEMPT != 0 && packet.destination_port != DNS_PORT;
    }
    match carrier {
        Carrier::Stream => packet.destination == Address::LOOPBACK4 && socket.is_bent(),
        Carrier::Datagram => socket.state == state::LOOKUP && file(packet, socket),
    }
}

/// A query on its way to the DNS socket: only now is its source address certain. Filed with every query, because the
/// table forgets what was not used for long, and with the time: another socket may get the same source address later.
#[inline(always)]
fn file(packet: &Packet, socket: &mut Socket) -> bool {
    let key = OriginKey::new(socket.key.netns, packet.source, packet.source_port);
    socket.origin.filed = hundredths() as u16;
    LOOKUPS.insert(&key, &socket.origin, 0).is_ok()
}

#[inline(always)]
fn refusal(packet: &Packet, netns: u64) -> Refusal {
    Refusal {
        netns,
        hook: Hook::Egress,
        protocol: packet.protocol,
        family: packet.family,
        ip: packet.destination,
        port: packet.destination_port,
    }
}

/// What is known of the socket. One from before the programs gets an entry now, with the cgroup that it belongs to, and its
/// namespace where the kernel tells it here: there what listened on a loopback of the workload's own goes on being served.
/// Elsewhere it reaches nobody.
#[inline(always)]
fn entry<'a>(ctx: &SkBuffContext) -> Option<&'a mut Socket> {
    let raw: *mut __sk_buff = ctx.skb.skb;
    // SAFETY: the kernel hands a valid context to every program of this type.
    let sk = unsafe { (&raw const (*raw).__bindgen_anon_2.sk).read_volatile() };
    if sk.is_null() {
        return None;
    }
    // SAFETY: the verifier knows `sk` of this context as a socket, and it is not null.
    if let Some(known) = unsafe { socket::entry(sk.cast(), 0) } {
        return Some(known);
    }
    let cgroup = workload::labelled_sender(raw)?;
    // SAFETY: as above.
    let made = unsafe { socket::entry(sk.cast(), BPF_SK_STORAGE_GET_F_CREATE.into()) }?;
    made.origin.cgroup = cgroup;
    if NETNS_AT_EGRESS.load() != 0 {
        // SAFETY: the helper takes the context of this program type, on kernels that have it here.
        made.key.netns = unsafe { bpf_get_netns_cookie(raw.cast()) };
    }
    Some(made)
}

/// Reads the headers. What is neither IPv4 nor IPv6, or too short, has no protocol, and none of it is permitted.
#[inline(always)]
fn parse(ctx: &SkBuffContext) -> Packet {
    headers(ctx).unwrap_or(Packet {
        family: 0,
        protocol: 0,
        source: Address::NONE,
        destination: Address::NONE,
        source_port: 0,
        destination_port: 0,
    })
}

#[inline(always)]
fn headers(ctx: &SkBuffContext) -> Option<Packet> {
    // SAFETY: as above.
    let protocol = unsafe { (&raw const (*ctx.skb.skb).protocol).read_volatile() };
    match u16::from_be(protocol as u16) {
        ETH_IPV4 => parse4(ctx),
        ETH_IPV6 => parse6(ctx),
        _ => None,
    }
}

#[inline(always)]
fn parse4(ctx: &SkBuffContext) -> Option<Packet> {
    let first: u8 = ctx.load(0).ok()?;
    let protocol: u8 = ctx.load(9).ok()?;
    let [source, destination]: [u32; 2] = ctx.load(12).ok()?;
    // Options are not read, and so neither is what follows them: one could send the packet on from where it arrives.
    let (source_port, destination_port) = match first {
        PLAIN_IPV4 => ports(ctx, protocol, IPV4_HEADER),
        _ => (0, 0),
    };
    Some(Packet {
        family: AF_INET,
        protocol: protocol.into(),
        source: Address::v4(source),
        destination: Address::v4(destination),
        source_port,
        destination_port,
    })
}

/// Extension headers are not walked: the next header is then neither TCP nor UDP, and the packet is dropped.
#[inline(always)]
fn parse6(ctx: &SkBuffContext) -> Option<Packet> {
    let protocol: u8 = ctx.load(6).ok()?;
    let [source, destination]: [Address; 2] = ctx.load(8).ok()?;
    let (source_port, destination_port) = ports(ctx, protocol, IPV6_HEADER);
    Some(Packet {
        family: AF_INET6,
        protocol: protocol.into(),
        source,
        destination,
        source_port,
        destination_port,
    })
}

#[inline(always)]
fn ports(ctx: &SkBuffContext, protocol: u8, at: usize) -> (u16, u16) {
    match u32::from(protocol) {
        ipproto::TCP | ipproto::UDP => match ctx.load::<[u16; 2]>(at) {
            Ok([source, destination]) => (u16::from_be(source), u16::from_be(destination)),
            Err(_) => (0, 0),
        },
        _ => (0, 0),
    }
}

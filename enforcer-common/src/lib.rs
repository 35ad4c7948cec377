//! The fixed-layout words exchanged between the eBPF programs and the daemon, and nothing else.
//!
//! No parsing, no policy, no allocation. Every type is plain data: integers in C layout with the padding spelt out, so
//! any bit pattern is a value and no byte is left uninitialised. Addresses have one form for both families, because one
//! socket may be seen as IPv4 by one hook and as IPv6 by the next. Ports are in host order.
//!
//! Pinned maps outlive the daemon that made them. A change to any layout below must raise [`ABI`], so that a successor
//! never reads a predecessor's maps with other eyes.

#![no_std]
#![forbid(unsafe_code)]

mod address;
mod event;
mod layout;
mod netns;
mod origin;
mod seal;
mod unix;
mod workload;

pub use address::Address;
pub use event::{Hook, KernelEvent, LOST_SLOTS, LostSlot, Reason, event_flag};
pub use layout::KernelLayout;
pub use netns::{NetnsEntry, netns_flag};
pub use origin::{OriginKey, OriginValue};
pub use seal::SealEntry;
pub use unix::{UnixLayout, UnixSocketKey};
pub use workload::{MAX_CONNECTIONS, WorkloadEntry, workload_flag};

/// Names the layouts in this crate. Maps are pinned under this number.
pub const ABI: u32 = 2;

/// The protocol numbers the programs tell apart (IANA; `MPTCP` is Linux's own, above the eight bits of the IP header).
pub mod ipproto {
    /// Internet Group Management Protocol: what joining a group makes the kernel say.
    pub const IGMP: u32 = 2;
    /// The same over IPv6, and more.
    pub const ICMP6: u32 = 58;
    /// Transmission Control Protocol.
    pub const TCP: u32 = 6;
    /// User Datagram Protocol.
    pub const UDP: u32 = 17;
    /// Multipath TCP, as `socket(2)` names it.
    pub const MPTCP: u32 = 262;
    /// Not a protocol: an address family is added to it where the family is what an event tells of. Beyond all numbers of
    /// protocols.
    pub const FAMILY: u32 = 0x1_0000;
    /// The same for unix sockets.
    pub const UNIX: u32 = FAMILY + 1;
    /// Not a protocol either: what events say that are about cgroups.
    pub const CGROUP: u32 = 0x2_0000;
}

/// The port of name lookups.
pub const DNS_PORT: u16 = 53;

/// How many cgroup ancestors a program looks at to find the labelled one: the depth of the hierarchy it can serve.
pub const MAX_DEPTH: u32 = 32;

//! What the connect hook leaves for the proxy.

use crate::Address;

/// Key of `FLOWS` and `LOOKUPS`: the agent's own end of a redirected socket, as `accept(2)` or `recvfrom(2)` will show it.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OriginKey {
    /// Cookie of the network namespace the socket lives in.
    pub netns: u64,
    /// Source address.
    pub ip: Address,
    /// Source port.
    pub port: u16,
    /// Always zero; part of the key, so it must be.
    pub reserved: [u8; 6],
}

/// Value of `FLOWS` and `LOOKUPS`: where the socket was pointed, and by whom.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OriginValue {
    /// The labelled cgroup.
    pub cgroup: u64,
    /// The socket's cookie.
    pub socket: u64,
    /// Destination address.
    pub ip: Address,
    /// The task's name, padded with zeroes.
    pub comm: [u8; 16],
    /// Thread group id in the initial pid namespace.
    pub pid: u32,
    /// Effective user id in the initial user namespace.
    pub uid: u32,
    /// Destination port.
    pub port: u16,
    /// When it was filed in `LOOKUPS`: the lower half of the hundredths of a second since boot. Zero in `FLOWS`.
    pub filed: u16,
    /// When a task of this id first used the socket: hundredths of a second since boot. A process that started later is
    /// another one.
    pub at: u32,
}

// === impl OriginKey ===

impl OriginKey {
    /// The key of the socket at `ip` and `port` in `netns`.
    #[must_use]
    #[inline(always)]
    pub const fn new(netns: u64, ip: Address, port: u16) -> Self {
        Self {
            netns,
            ip,
            port,
            reserved: [0; 6],
        }
    }
}

const _: () = assert!(size_of::<OriginKey>() == 32 && align_of::<OriginKey>() == 8);
const _: () = assert!(size_of::<OriginValue>() == 64 && align_of::<OriginValue>() == 8);

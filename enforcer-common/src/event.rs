//! What the programs tell the daemon about what they refused.

use crate::Address;

/// One refusal, as it lies in the ring buffer `EVENTS`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KernelEvent {
    /// The labelled cgroup; 0 when the task was in none.
    pub cgroup: u64,
    /// Cookie of the network namespace; 0 when the program could not know it.
    pub netns: u64,
    /// Destination address; all zero when there was none.
    pub ip: Address,
    /// The task's name, padded with zeroes; empty when no task was at hand.
    pub comm: [u8; 16],
    /// Thread group id in the initial pid namespace; 0 when no task was at hand.
    pub pid: u32,
    /// Effective user id in the initial user namespace.
    pub uid: u32,
    /// IP protocol number, or Linux's own above 255.
    pub protocol: u32,
    /// Address family of the socket.
    pub family: u16,
    /// Destination port; 0 when there was none.
    pub port: u16,
    /// A [`Hook`].
    pub hook: u8,
    /// A [`Reason`].
    pub reason: u8,
    /// See [`event_flag`].
    pub flags: u8,
    /// Always zero.
    pub reserved: [u8; 5],
}

/// Bits of [`KernelEvent::flags`].
pub mod event_flag {
    /// It was not refused: the workload is only observed.
    pub const LET_PAST: u8 = 1;
}

/// The program that refused.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    /// `connect(2)` over IPv4.
    Connect4 = 1,
    /// `connect(2)` over IPv6.
    Connect6 = 2,
    /// A packet on its way out.
    Egress = 3,
    /// `sendmsg(2)` on an unconnected socket over IPv4.
    Sendmsg4 = 4,
    /// `sendmsg(2)` on an unconnected socket over IPv6.
    Sendmsg6 = 5,
    /// `socket(2)`.
    SockCreate = 6,
    /// A connection whose origin could not be filed, or was never asked for.
    SockOps = 7,
    /// A packet that came out of a sealed wire.
    Seal = 8,
    /// `bind(2)`.
    Bind = 10,
    /// `setsockopt(2)`.
    Setsockopt = 11,
    /// `connect(2)` on a unix socket.
    ConnectUnix = 12,
    /// `sendmsg(2)` with an address on a unix socket.
    SendmsgUnix = 13,
    /// `socket(2)` of any family, asked of the kernel's security modules.
    LsmSocket = 14,
    /// A change of a cgroup, asked of the kernel's security modules.
    LsmCgroup = 15,
    /// A unix socket that was connected or sent to, asked of the kernel's security modules.
    LsmUnix = 16,
}

/// Why it refused.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A packet that goes to none of our listeners.
    Backstop = 1,
    /// The table of origins has no room left, or the workload has its share of connections.
    Full = 2,
    /// Nothing serves this network namespace.
    NoListener = 3,
    /// The agent named our own listener as its destination.
    Own = 4,
    /// A protocol that is not carried at all.
    Protocol = 5,
    /// A kind of socket that is not given out.
    Socket = 6,
    /// The task is in no labelled cgroup.
    Unlabelled = 7,
    /// The workload is in quarantine.
    Quarantined = 8,
    /// A connection ended before the listener took it: it never arrived there, or nobody listens.
    Unaccepted = 10,
    /// The workload may not connect unix sockets.
    Unix = 12,
    /// A cgroup that is not at or below the label was to be changed, which is how to leave it.
    Cgroup = 13,
}

/// Index into the per-processor array `LOST`.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LostSlot {
    /// The ring was full.
    Full = 0,
    /// The workload's event budget was spent.
    Suppressed = 1,
}

/// How many entries `LOST` has.
pub const LOST_SLOTS: u32 = 2;

// === impl Hook ===

impl TryFrom<u8> for Hook {
    type Error = u8;

    fn try_from(byte: u8) -> Result<Self, u8> {
        const ALL: [Hook; 15] = [
            Hook::Connect4,
            Hook::Connect6,
            Hook::Egress,
            Hook::Sendmsg4,
            Hook::Sendmsg6,
            Hook::SockCreate,
            Hook::SockOps,
            Hook::Seal,
            Hook::Bind,
            Hook::Setsockopt,
            Hook::ConnectUnix,
            Hook::SendmsgUnix,
            Hook::LsmSocket,
            Hook::LsmCgroup,
            Hook::LsmUnix,
        ];
        ALL.into_iter().find(|hook| *hook as u8 == byte).ok_or(byte)
    }
}

// === impl Reason ===

impl TryFrom<u8> for Reason {
    type Error = u8;

    fn try_from(byte: u8) -> Result<Self, u8> {
        const ALL: [Reason; 11] = [
            Reason::Backstop,
            Reason::Full,
            Reason::NoListener,
            Reason::Own,
            Reason::Protocol,
            Reason::Socket,
            Reason::Unlabelled,
            Reason::Quarantined,
            Reason::Unaccepted,
            Reason::Unix,
            Reason::Cgroup,
        ];
        ALL.into_iter()
            .find(|reason| *reason as u8 == byte)
            .ok_or(byte)
    }
}

const _: () = assert!(size_of::<KernelEvent>() == 72 && align_of::<KernelEvent>() == 8);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_one_hook_or_none() {
        let known = (0..=u8::MAX).filter(|byte| Hook::try_from(*byte).is_ok());
        assert_eq!(known.count(), 15);
        assert_eq!(Hook::try_from(Hook::SockOps as u8), Ok(Hook::SockOps));
        assert_eq!(Hook::try_from(0), Err(0));
    }

    #[test]
    fn every_byte_is_one_reason_or_none() {
        let known = (0..=u8::MAX).filter(|byte| Reason::try_from(*byte).is_ok());
        assert_eq!(known.count(), 11);
        assert_eq!(
            Reason::try_from(Reason::Unlabelled as u8),
            Ok(Reason::Unlabelled)
        );
        assert_eq!(Reason::try_from(0), Err(0));
    }
}

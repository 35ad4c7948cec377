//! Where the listeners of a network namespace are.

/// Value of `NETNS`, keyed by netns cookie. Written by the daemon, read by every program that redirects or lets leave.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NetnsEntry {
    /// Port of the TCP listener on 127.0.0.1.
    pub tcp_port: u16,
    /// Port of the DNS socket on 127.0.0.1 and, with [`netns_flag::DNS6`], on `::1`.
    pub dns_port: u16,
    /// See [`netns_flag`].
    pub flags: u32,
}

/// Bits of [`NetnsEntry::flags`].
pub mod netns_flag {
    /// Loopback destinations other than port 53 are left alone: the namespace is the workload's own, nothing else listens there.
    pub const LOOPBACK_EXEMPT: u32 = 1;
    /// The DNS socket is there on `::1` too.
    pub const DNS6: u32 = 1 << 1;
}

const _: () = assert!(size_of::<NetnsEntry>() == 8);

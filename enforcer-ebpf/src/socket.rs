//! What the programs remember about one socket.

use core::ffi::c_void;

use aya_ebpf::EbpfContext as _;
use aya_ebpf::bindings::BPF_SK_STORAGE_GET_F_CREATE;
use aya_ebpf::helpers::generated::{
    bpf_get_current_comm, bpf_get_current_pid_tgid, bpf_get_current_uid_gid, bpf_get_netns_cookie,
    bpf_get_socket_cookie, bpf_ktime_get_boot_ns, bpf_sk_storage_get,
};
use aya_ebpf::programs::SockAddrContext;
use enforcer_common::{Address, OriginKey, OriginValue};

use crate::maps::SOCKETS;

/// In nanoseconds.
const HUNDREDTH: u64 = 10_000_000;

/// One socket's entry. A new one is all zero.
#[repr(C)]
pub struct Socket {
    /// Who uses the socket and where it was last pointed.
    pub origin: OriginValue,
    /// Its namespace, known from the start, and its own end, known once a port is chosen.
    pub key: OriginKey,
    /// One of the constants in [`state`].
    pub state: u16,
    /// Port of the listener it was bent to, unless plain.
    pub listener: u16,
    /// The number in `CHANGES` when the socket was last let connect, or a packet of it pass, to our TCP listener; 0 if never.
    pub settled: u32,
}

/// Values of [`Socket::state`]; plain numbers, because a stray value read from memory must not be undefined behaviour.
pub mod state {
    /// Not bent to anything.
    pub const PLAIN: u16 = 0;
    /// A TCP socket bent to the listener; its origin is not in `FLOWS` (yet, or any more).
    pub const BENT: u16 = 1;
    /// A TCP socket bent to the listener; its origin was put in `FLOWS`.
    pub const FILED: u16 = 2;
    /// A UDP socket bent to the DNS socket.
    pub const LOOKUP: u16 = 3;
    /// A UDP socket that was connected to a synthetic address, and bent to where it may not send.
    pub const PROBE: u16 = 4;
    /// Not bent to anything, and let go where it wanted to: the workload is only observed.
    pub const OBSERVED: u16 = 5;
    /// As `BENT`, for a socket of the kernel's own in which it carries an agent's stream (multipath TCP).
    pub const CARRIER: u16 = 6;
}

impl Socket {
    /// The entry of the socket that `ctx` is about; `None` when there is none.
    #[inline(always)]
    pub fn of(ctx: &SockAddrContext) -> Option<&mut Self> {
        // SAFETY: `sk` of a sock_addr context is always a valid socket.
        unsafe { entry((*ctx.sock_addr).__bindgen_anon_1.sk.cast(), 0) }
    }

    /// The same, made if need be.
    #[inline(always)]
    pub fn made(ctx: &SockAddrContext) -> Option<&mut Self> {
        // SAFETY: as above.
        unsafe {
            let sk = (*ctx.sock_addr).__bindgen_anon_1.sk.cast();
            entry(sk, BPF_SK_STORAGE_GET_F_CREATE.into())
        }
    }

    /// The same, with namespace, task and `cgroup` filled in.
    #[inline(always)]
    pub fn claim(ctx: &SockAddrContext, cgroup: u64) -> Option<&mut Self> {
        let socket = Self::made(ctx)?;
        socket.identify(ctx.as_ptr(), cgroup);
        Some(socket)
    }

    /// What would be kept of a socket that nothing is kept of: enough to tell who used it.
    #[inline(always)]
    pub fn unkept(ctx: *mut c_void, cgroup: u64) -> Self {
        let origin = OriginValue {
            cgroup: 0,
            socket: 0,
            ip: Address::NONE,
            comm: [0; 16],
            pid: 0,
            uid: 0,
            port: 0,
            filed: 0,
            at: 0,
        };
        let mut socket = Self {
            origin,
            key: OriginKey::new(0, Address::NONE, 0),
            state: state::PLAIN,
            listener: 0,
            settled: 0,
        };
        socket.identify(ctx, cgroup);
        socket
    }

    /// Whether it was identified before: no socket's cookie is zero.
    #[inline(always)]
    pub fn is_known(&self) -> bool {
        self.origin.socket != 0
    }

    /// Fills in namespace, cookie, cgroup and the current task. Most sockets are used by who made them: what cannot have
    /// changed since is not asked for again, since each question adds to what a call takes, the clock most.
    #[inline(always)]
    pub fn identify(&mut self, ctx: *mut c_void, cgroup: u64) {
        let known = self.is_known();
        // SAFETY: these helpers take the context of a socket program, or a buffer of the size given with it.
        unsafe {
            if !known {
                self.key.netns = bpf_get_netns_cookie(ctx);
                self.origin.socket = bpf_get_socket_cookie(ctx);
            }
            bpf_get_current_comm(
                (&raw mut self.origin.comm).cast(),
                size_of_val(&self.origin.comm) as u32,
            );
            self.origin.uid = bpf_get_current_uid_gid() as u32;
            let pid = (bpf_get_current_pid_tgid() >> 32) as u32;
            if !known || self.origin.pid != pid {
                self.origin.pid = pid;
                self.origin.at = hundredths();
            }
        }
        self.origin.cgroup = cgroup;
    }

    /// Whether the socket is bent to this address already. That is so where a label stands above another and the same
    /// programs run twice, and in what the kernel makes of sending on an IPv6 socket connected to an IPv4 address. An agent
    /// that names our listener itself gains nothing by it: the origin remains the one it asked for before.
    #[inline(always)]
    pub fn is_bent_to(&self, ip: &Address, port: u16) -> bool {
        self.is_bent() && ip.is_loopback() && port == self.listener
    }

    /// Whether it was pointed at one of our listeners.
    #[inline(always)]
    pub fn is_bent(&self) -> bool {
        self.state != state::PLAIN && self.state != state::OBSERVED
    }

    /// Notes that the socket is let go to an address that it would be refused otherwise. Returns whether that is news: what
    /// is sent there again need not be reported again.
    #[inline(always)]
    pub fn observe(&mut self, ip: Address, port: u16) -> bool {
        if self.is_bent() {
            return true;
        }
        if self.state == state::OBSERVED && self.origin.ip == ip && self.origin.port == port {
            return false;
        }
        self.origin.ip = ip;
        self.origin.port = port;
        self.state = state::OBSERVED;
        true
    }

    /// Notes where the socket was pointed and what it is bent to instead.
    #[inline(always)]
    pub fn bend(&mut self, state: u16, listener: u16, ip: Address, port: u16) {
        self.origin.ip = ip;
        self.origin.port = port;
        self.listener = listener;
        self.state = state;
        self.settled = 0;
    }
}

/// Hundredths of a second since boot.
#[inline(always)]
pub fn hundredths() -> u32 {
    // SAFETY: the helper only reads the clock.
    (unsafe { bpf_ktime_get_boot_ns() } / HUNDREDTH) as u32
}

/// The entry of `sk`.
///
/// # Safety
/// `sk` must be a socket pointer that the verifier knows as such, and not null.
#[inline(always)]
pub unsafe fn entry<'a>(sk: *mut c_void, flags: u64) -> Option<&'a mut Socket> {
    let map = (&raw const SOCKETS).cast_mut().cast();
    // SAFETY: the caller vouches for `sk`; a null value asks for a zeroed entry.
    let found = unsafe { bpf_sk_storage_get(map, sk, core::ptr::null_mut(), flags) };
    // SAFETY: a value that was found is valid until the program ends, and plain data.
    unsafe { found.cast::<Socket>().as_mut() }
}

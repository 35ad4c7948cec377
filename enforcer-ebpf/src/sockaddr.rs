//! The fields of a sock_addr context.
//!
//! Reads and writes are volatile: the verifier allows these fields to be touched only one by one, and an optimiser would
//! merge neighbours.

use aya_ebpf::bindings::bpf_sock_addr;
use aya_ebpf::programs::SockAddrContext;
use enforcer_common::Address;

macro_rules! read {
    ($ctx:expr, $($field:tt)+) => {{
        let raw: *mut bpf_sock_addr = $ctx.sock_addr;
        // SAFETY: the kernel hands a valid context to every program of this type.
        unsafe { (&raw const (*raw).$($field)+).read_volatile() }
    }};
}

macro_rules! write {
    ($ctx:expr, $value:expr, $($field:tt)+) => {{
        let raw: *mut bpf_sock_addr = $ctx.sock_addr;
        // SAFETY: as for reading; address and port may be written by every program that calls this.
        unsafe { (&raw mut (*raw).$($field)+).write_volatile($value) }
    }};
}

/// `SOCK_STREAM`.
pub const STREAM: u32 = 1;
/// `SOCK_DGRAM`.
pub const DGRAM: u32 = 2;

/// The type given to `socket(2)`.
#[inline(always)]
pub fn kind(ctx: &SockAddrContext) -> u32 {
    read!(ctx, type_)
}

/// The protocol of the socket.
#[inline(always)]
pub fn protocol(ctx: &SockAddrContext) -> u32 {
    read!(ctx, protocol)
}

/// The family of the socket.
#[inline(always)]
pub fn family(ctx: &SockAddrContext) -> u16 {
    read!(ctx, family) as u16
}

/// The socket's own end, as `established` sees it: an address in a program for IPv4, and the port.
#[inline(always)]
pub fn own4(ctx: &SockAddrContext) -> (Address, u16) {
    let sk = read!(ctx, __bindgen_anon_1.sk);
    // SAFETY: `sk` of a sock_addr context is always a valid socket.
    unsafe {
        let ip = (&raw const (*sk).src_ip4).read_volatile();
        let port = (&raw const (*sk).src_port).read_volatile();
        (Address::v4(ip), port as u16)
    }
}

/// The same in a program for IPv6.
#[inline(always)]
pub fn own6(ctx: &SockAddrContext) -> (Address, u16) {
    let sk = read!(ctx, __bindgen_anon_1.sk);
    // SAFETY: as above.
    unsafe {
        let words = [
            (&raw const (*sk).src_ip6[0]).read_volatile(),
            (&raw const (*sk).src_ip6[1]).read_volatile(),
            (&raw const (*sk).src_ip6[2]).read_volatile(),
            (&raw const (*sk).src_ip6[3]).read_volatile(),
        ];
        let port = (&raw const (*sk).src_port).read_volatile();
        (Address { words }, port as u16)
    }
}

/// The port.
#[inline(always)]
pub fn port(ctx: &SockAddrContext) -> u16 {
    u16::from_be(read!(ctx, user_port) as u16)
}

/// Changes the port.
#[inline(always)]
pub fn set_port(ctx: &SockAddrContext, port: u16) {
    write!(ctx, u32::from(port.to_be()), user_port);
}

/// The address, in a program for IPv4.
#[inline(always)]
pub fn ip4(ctx: &SockAddrContext) -> Address {
    Address::v4(read!(ctx, user_ip4))
}

/// Changes the address, in a program for IPv4. `ip` must be one.
#[inline(always)]
pub fn set_ip4(ctx: &SockAddrContext, ip: &Address) {
    write!(ctx, ip.words[3], user_ip4);
}

/// The address, in a program for IPv6.
#[inline(always)]
pub fn ip6(ctx: &SockAddrContext) -> Address {
    Address {
        words: [
            read!(ctx, user_ip6[0]),
            read!(ctx, user_ip6[1]),
            read!(ctx, user_ip6[2]),
            read!(ctx, user_ip6[3]),
        ],
    }
}

/// Changes the address, in a program for IPv6.
#[inline(always)]
pub fn set_ip6(ctx: &SockAddrContext, ip: &Address) {
    write!(ctx, ip.words[0], user_ip6[0]);
    write!(ctx, ip.words[1], user_ip6[1]);
    write!(ctx, ip.words[2], user_ip6[2]);
    write!(ctx, ip.words[3], user_ip6[3]);
}

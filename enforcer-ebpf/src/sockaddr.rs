//! The fields of a sock_addr context, in the one form of addresses.
//!
//! Reads and writes are volatile: the verifier allows these fields to be touched only one by one, and an optimiser would
//! merge neighbours.

use aya_ebpf::bindings::bpf_sock_addr;
use aya_ebpf::programs::SockAddrContext;
use enforcer_common::{map4, unmap4};

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
pub fn ip4(ctx: &SockAddrContext) -> [u8; 16] {
    map4(read!(ctx, user_ip4).to_ne_bytes())
}

/// Changes the address, in a program for IPv4. `ip` must be IPv4-mapped.
#[inline(always)]
pub fn set_ip4(ctx: &SockAddrContext, ip: &[u8; 16]) {
    write!(ctx, u32::from_ne_bytes(unmap4(ip)), user_ip4);
}

/// The address, in a program for IPv6.
#[inline(always)]
pub fn ip6(ctx: &SockAddrContext) -> [u8; 16] {
    join([
        read!(ctx, user_ip6[0]),
        read!(ctx, user_ip6[1]),
        read!(ctx, user_ip6[2]),
        read!(ctx, user_ip6[3]),
    ])
}

/// Changes the address, in a program for IPv6.
#[inline(always)]
pub fn set_ip6(ctx: &SockAddrContext, ip: &[u8; 16]) {
    write!(ctx, word(ip, 0), user_ip6[0]);
    write!(ctx, word(ip, 4), user_ip6[1]);
    write!(ctx, word(ip, 8), user_ip6[2]);
    write!(ctx, word(ip, 12), user_ip6[3]);
}

/// Four words, as contexts hold them, to an address.
#[inline(always)]
pub fn join(words: [u32; 4]) -> [u8; 16] {
    let [a, b, c, d] = words.map(u32::to_ne_bytes);
    [
        a[0], a[1], a[2], a[3], b[0], b[1], b[2], b[3], c[0], c[1], c[2], c[3], d[0], d[1], d[2],
        d[3],
    ]
}

#[inline(always)]
fn word(ip: &[u8; 16], at: usize) -> u32 {
    u32::from_ne_bytes([ip[at], ip[at + 1], ip[at + 2], ip[at + 3]])
}

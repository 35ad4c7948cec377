//! What runs in the kernel for an agent's cgroup: every way out is either bent towards the enforcer's listeners or refused.
//!
//! Only entry points stand here, each one line into its module. The programs judge nothing beyond "is this TCP, is this a
//! name lookup, is this ours": policy lives in the daemon. Whatever they cannot understand they refuse. They read where
//! the listeners are from `NETNS`, leave who asked for what in `FLOWS` and `LOOKUPS`, and report refusals through `EVENTS`.

#![no_std]
#![no_main]
#![feature(asm_experimental_arch)]

mod bind;
mod connect;
mod egress;
mod established;
mod event;
mod lsm;
mod maps;
mod peer;
mod seal;
mod sendmsg;
mod setsockopt;
mod sock_create;
mod sockaddr;
mod socket;
mod unix;
mod verdict;
mod workload;

use aya_ebpf::macros::{
    cgroup_skb, cgroup_sock, cgroup_sock_addr, cgroup_sockopt, classifier, lsm_cgroup, sock_ops,
};
use aya_ebpf::programs::{
    LsmContext, SkBuffContext, SockAddrContext, SockContext, SockOpsContext, SockoptContext,
    TcContext,
};
use enforcer_common::Hook;

/// What a program returns to let the operation go on.
const PASS: i32 = 1;
/// What a program returns to have the operation fail with `EPERM`, or the packet dropped.
const REFUSE: i32 = 0;

/// `connect(2)` to an IPv4 address.
#[cgroup_sock_addr(connect4)]
fn connect4(ctx: SockAddrContext) -> i32 {
    connect::connect(&ctx, Hook::Connect4)
}

/// `connect(2)` to an IPv6 address, IPv4-mapped ones among them.
#[cgroup_sock_addr(connect6)]
fn connect6(ctx: SockAddrContext) -> i32 {
    connect::connect(&ctx, Hook::Connect6)
}

/// `sendmsg(2)` with an IPv4 address on a UDP socket.
#[cgroup_sock_addr(sendmsg4)]
fn sendmsg4(ctx: SockAddrContext) -> i32 {
    sendmsg::sendmsg(&ctx, Hook::Sendmsg4)
}

/// `sendmsg(2)` with an IPv6 address on a UDP socket.
#[cgroup_sock_addr(sendmsg6)]
fn sendmsg6(ctx: SockAddrContext) -> i32 {
    sendmsg::sendmsg(&ctx, Hook::Sendmsg6)
}

/// `recvmsg(2)` on a UDP socket of IPv4.
#[cgroup_sock_addr(recvmsg4)]
fn recvmsg4(ctx: SockAddrContext) -> i32 {
    peer::restore4(&ctx)
}

/// `recvmsg(2)` on a UDP socket of IPv6.
#[cgroup_sock_addr(recvmsg6)]
fn recvmsg6(ctx: SockAddrContext) -> i32 {
    peer::restore6(&ctx)
}

/// `getpeername(2)` on a socket of IPv4.
#[cgroup_sock_addr(getpeername4)]
fn getpeername4(ctx: SockAddrContext) -> i32 {
    peer::restore4(&ctx)
}

/// `getpeername(2)` on a socket of IPv6.
#[cgroup_sock_addr(getpeername6)]
fn getpeername6(ctx: SockAddrContext) -> i32 {
    peer::restore6(&ctx)
}

/// TCP's life: before the SYN, and at the end. (A program must not be called `sockops`: its section is.)
#[sock_ops]
fn established(ctx: SockOpsContext) -> u32 {
    established::established(&ctx)
}

/// `socket(2)` for IPv4 and IPv6.
#[cgroup_sock(sock_create)]
fn sock_create(ctx: SockContext) -> i32 {
    sock_create::sock_create(&ctx)
}

/// `bind(2)` over IPv4.
#[cgroup_sock(post_bind4)]
fn post_bind4(ctx: SockContext) -> i32 {
    bind::bound(&ctx)
}

/// `bind(2)` over IPv6.
#[cgroup_sock(post_bind6)]
fn post_bind6(ctx: SockContext) -> i32 {
    bind::bound(&ctx)
}

/// `connect(2)` on a unix socket. The loader library has no such kind: it is built as another and loaded by our own hand.
#[cgroup_sock_addr(connect4)]
fn connect_unix(ctx: SockAddrContext) -> i32 {
    unix::connect(&ctx, Hook::ConnectUnix)
}

/// `sendmsg(2)` with an address on a unix socket; as above.
#[cgroup_sock_addr(connect4)]
fn sendmsg_unix(ctx: SockAddrContext) -> i32 {
    unix::connect(&ctx, Hook::SendmsgUnix)
}

/// `setsockopt(2)` on whatever socket.
#[cgroup_sockopt(setsockopt)]
fn setsockopt(ctx: SockoptContext) -> i32 {
    setsockopt::setsockopt(&ctx)
}

/// Every packet of a socket in the cgroup, before it leaves the host or reaches loopback.
#[cgroup_skb(egress)]
fn egress(ctx: SkBuffContext) -> i32 {
    egress::egress(&ctx)
}

/// Every packet that comes out of a workload's wire, where it arrives on the other side.
#[classifier]
fn seal(ctx: TcContext) -> i32 {
    seal::seal(&ctx)
}

/// `socket(2)` of any family, as the kernel's security modules are asked. Loaded by our own hand: see [`lsm`].
#[lsm_cgroup(hook = "socket_create")]
fn lsm_socket(ctx: LsmContext) -> i32 {
    lsm::socket::create(&ctx)
}

/// Whether an inode may be written to, as the kernel's security modules are asked; as above.
#[lsm_cgroup(hook = "inode_permission")]
fn lsm_cgroup(ctx: LsmContext) -> i32 {
    lsm::cgroup::write(&ctx)
}

/// `connect(2)` on a unix socket that is a stream, as the kernel's security modules are asked; as above.
#[lsm_cgroup(hook = "unix_stream_connect")]
fn lsm_unix_connect(ctx: LsmContext) -> i32 {
    lsm::unix::connect(&ctx)
}

/// A datagram to a unix socket, as the kernel's security modules are asked; as above.
#[lsm_cgroup(hook = "unix_may_send")]
fn lsm_unix_send(ctx: LsmContext) -> i32 {
    lsm::unix::send(&ctx)
}

// No helper used here is reserved for the GPL, so the programs carry the project's own licence.
#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 11] = *b"Apache-2.0\0";

#[cfg(not(test))]
#[panic_handler]
fn panic(_info: &core::panic::PanicInfo<'_>) -> ! {
    // Nothing here panics: the verifier would refuse to load a program with a loop that has no end.
    loop {}
}

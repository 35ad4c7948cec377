//! `recvmsg(2)` and `getpeername(2)`: the agent goes on seeing the peer it asked for.

use aya_ebpf::programs::SockAddrContext;
use enforcer_common::Address;

use crate::socket::Socket;
use crate::{PASS, sockaddr};

/// In a program for IPv4.
#[inline(always)]
pub fn restore4(ctx: &SockAddrContext) -> i32 {
    if let Some(socket) = asked(ctx, &sockaddr::ip4(ctx))
        && socket.origin.ip.is_v4()
    {
        sockaddr::set_ip4(ctx, &socket.origin.ip);
        sockaddr::set_port(ctx, socket.origin.port);
    }
    PASS
}

/// In a program for IPv6.
#[inline(always)]
pub fn restore6(ctx: &SockAddrContext) -> i32 {
    if let Some(socket) = asked(ctx, &sockaddr::ip6(ctx)) {
        sockaddr::set_ip6(ctx, &socket.origin.ip);
        sockaddr::set_port(ctx, socket.origin.port);
    }
    PASS
}

/// The socket's entry, if the address about to be shown is the listener that the socket was bent to.
#[inline(always)]
fn asked<'a>(ctx: &'a SockAddrContext, ip: &Address) -> Option<&'a Socket> {
    let socket = Socket::of(ctx)?;
    socket
        .is_bent_to(ip, sockaddr::port(ctx))
        .then_some(&*socket)
}

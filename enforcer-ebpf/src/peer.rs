//! `recvmsg(2)` and `getpeername(2)`: the agent goes on seeing the peer it asked for.

use aya_ebpf::programs::SockAddrContext;
use enforcer_common::{Address, OriginKey};

use crate::maps::CARRIED;
use crate::socket::Socket;
use crate::verdict::listeners;
use crate::{PASS, sockaddr};

/// Value of `CARRIED`: a peer that was asked for.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CarriedValue {
    ip: Address,
    port: u32,
}

impl CarriedValue {
    /// This address and port.
    #[inline(always)]
    pub fn new(ip: Address, port: u16) -> Self {
        Self {
            ip,
            port: port.into(),
        }
    }
}

/// In a program for IPv4.
#[inline(always)]
pub fn restore4(ctx: &SockAddrContext) -> i32 {
    if let Some(CarriedValue { ip, port }) = asked(ctx, &sockaddr::ip4(ctx), sockaddr::own4)
        && ip.is_v4()
    {
        sockaddr::set_ip4(ctx, &ip);
        sockaddr::set_port(ctx, port as u16);
    }
    PASS
}

/// In a program for IPv6.
#[inline(always)]
pub fn restore6(ctx: &SockAddrContext) -> i32 {
    if let Some(CarriedValue { ip, port }) = asked(ctx, &sockaddr::ip6(ctx), sockaddr::own6) {
        sockaddr::set_ip6(ctx, &ip);
        sockaddr::set_port(ctx, port as u16);
    }
    PASS
}

/// What was asked for, if the address about to be shown is the listener that the socket was bent to, or the one that
/// carries its stream: that is another socket, of the same own end.
#[inline(always)]
fn asked(
    ctx: &SockAddrContext,
    ip: &Address,
    own: impl Fn(&SockAddrContext) -> (Address, u16),
) -> Option<CarriedValue> {
    let socket = Socket::of(ctx)?;
    if socket.is_bent_to(ip, sockaddr::port(ctx)) {
        return Some(CarriedValue::new(socket.origin.ip, socket.origin.port));
    }
    let is_ours =
        || listeners(socket.key.netns).is_some_and(|own| own.tcp_port == sockaddr::port(ctx));
    if sockaddr::kind(ctx) != sockaddr::STREAM || !ip.is_loopback() || !is_ours() {
        return None;
    }
    let (ip, port) = own(ctx);
    // SAFETY: the value is plain data, copied at once.
    unsafe {
        CARRIED
            .get(OriginKey::new(socket.key.netns, ip, port))
            .copied()
    }
}

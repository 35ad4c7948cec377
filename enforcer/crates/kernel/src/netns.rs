//! Network namespaces: entering one for a moment, and listening in it from outside.
//!
//! A namespace is a property of a thread, and our threads belong to a runtime. So whatever must happen inside is done by a
//! thread of its own that enters, does it, and ends; descriptors it opened go on belonging to that namespace.

use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket};
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::path::Path;
use std::thread;

use enforcer_common::{NetnsEntry, netns_flag};
use enforcer_flow::NetnsCookie;
use rustix::thread::{LinkNameSpaceType, UnshareFlags, move_into_link_name_space};
use socket2::{Domain, Protocol, Socket, Type};

use crate::KernelError;
use crate::object::duplicate;

/// Connections that may wait for accept; the kernel lowers it to `net.core.somaxconn`.
const BACKLOG: i32 = 4096;
/// Room for queries that wait to be answered.
const DNS_BUFFER: usize = 1 << 20;
/// From `asm-generic/socket.h`; socket(7).
const SO_NETNS_COOKIE: libc::c_int = 71;

/// Ports that only the privileged may bind, high up where few services live.
const RESERVED: std::ops::RangeInclusive<u16> = 600..=1023;
/// Those of them that services of a host are likely to ask for later (IANA).
const WELL_KNOWN: [u16; 14] = [
    631, 636, 749, 750, 853, 860, 873, 989, 990, 992, 993, 994, 995, 1022,
];

/// An open network namespace.
#[derive(Debug)]
pub struct Netns {
    file: OwnedFd,
    cookie: NetnsCookie,
}

/// Our sockets inside a namespace. None of them blocks.
#[derive(Debug)]
pub struct Listeners {
    /// Where all TCP goes: 127.0.0.1.
    pub tcp: TcpListener,
    /// Where name lookups go: 127.0.0.1.
    pub dns: UdpSocket,
    /// Where name lookups of IPv6 sockets go that do not connect: `::1`, if the namespace has it, on the port of `dns`.
    pub dns6: Option<UdpSocket>,
}

/// Where the listeners of a namespace are, for the programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// Of the TCP listener on 127.0.0.1.
    pub tcp: u16,
    /// Of the DNS socket on 127.0.0.1.
    pub dns: u16,
    /// Whether the DNS socket is there on `::1` too.
    pub dns6: bool,
    /// What becomes of connections that stay on the host.
    pub loopback: Loopback,
}

/// What becomes of destinations on loopback. Port 53 is always ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loopback {
    /// They are left alone: the namespace is the workload's own, nothing of the host listens there.
    Exempt,
    /// They are redirected like all others: in the host's namespace any local relay is a way out.
    Redirect,
}

// === impl Netns ===

impl Netns {
    /// The namespace of the calling thread.
    ///
    /// # Errors
    /// When it cannot be opened or entered.
    pub fn current() -> Result<Self, KernelError> {
        Self::open(Path::new("/proc/thread-self/ns/net"))
    }

    /// The namespace of a process. The caller must know that the process is still the one it means.
    ///
    /// # Errors
    /// When it cannot be opened or entered.
    pub fn of_process(pid: u32) -> Result<Self, KernelError> {
        Self::open(Path::new(&format!("/proc/{pid}/ns/net")))
    }

    /// The namespace behind a file, such as those that container engines keep.
    ///
    /// # Errors
    /// When it cannot be opened or entered.
    pub fn open(path: &Path) -> Result<Self, KernelError> {
        let file = File::open(path).map_err(|error| KernelError::file("open", path, error))?;
        let file = OwnedFd::from(file);
        Self::from_file(file)
    }

    /// The namespace behind an open file.
    pub(crate) fn from_file(file: OwnedFd) -> Result<Self, KernelError> {
        let cookie = within(file.as_fd(), cookie)?;
        Ok(Self { file, cookie })
    }

    /// A new namespace with nothing in it but loopback. It lasts as long as this value and the processes in it.
    ///
    /// # Errors
    /// When the kernel makes none.
    pub fn isolated() -> Result<Self, KernelError> {
        on_a_thread(|| {
            // SAFETY: the network namespace alone is left; this thread opens no sockets before and ends right after.
            unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWNET) }
                .map_err(|error| KernelError::call("making a network namespace", error))?;
            loopback_up().map_err(|error| KernelError::call("bringing loopback up", error))?;
            let path = Path::new("/proc/thread-self/ns/net");
            let file = File::open(path).map_err(|error| KernelError::file("open", path, error))?;
            let cookie = cookie()?;
            Ok(Self {
                file: file.into(),
                cookie,
            })
        })
    }

    /// Another hold on the same one.
    ///
    /// # Errors
    /// When descriptors run out.
    pub fn try_clone(&self) -> Result<Self, KernelError> {
        Ok(Self {
            file: duplicate(&self.file)?,
            cookie: self.cookie,
        })
    }

    /// Its name to the programs.
    #[must_use]
    pub fn cookie(&self) -> NetnsCookie {
        self.cookie
    }

    /// Binds our sockets inside, on free ports.
    ///
    /// # Errors
    /// When the namespace cannot be entered, or has no 127.0.0.1.
    pub fn listen(&self) -> Result<Listeners, KernelError> {
        within(self.file.as_fd(), || {
            bind().map_err(|error| KernelError::call("listening in a network namespace", error))
        })
    }
}

impl AsFd for Netns {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

// === impl Listeners ===

impl Listeners {
    /// Where they are.
    ///
    /// # Errors
    /// When the kernel does not say.
    pub fn ports(&self, loopback: Loopback) -> Result<Ports, KernelError> {
        let failed = |error| KernelError::call("asking for a socket's address", error);
        Ok(Ports {
            tcp: self.tcp.local_addr().map_err(failed)?.port(),
            dns: self.dns.local_addr().map_err(failed)?.port(),
            dns6: self.dns6.is_some(),
            loopback,
        })
    }
}

// === impl Ports ===

impl Ports {
    pub(crate) fn entry(self) -> NetnsEntry {
        let Self {
            tcp,
            dns,
            dns6,
            loopback,
        } = self;
        let exempt = match loopback {
            Loopback::Exempt => netns_flag::LOOPBACK_EXEMPT,
            Loopback::Redirect => 0,
        };
        NetnsEntry {
            tcp_port: tcp,
            dns_port: dns,
            flags: exempt | if dns6 { netns_flag::DNS6 } else { 0 },
        }
    }
}

/// Does something inside a namespace.
pub(crate) fn within<T: Send>(
    netns: BorrowedFd<'_>,
    task: impl FnOnce() -> Result<T, KernelError> + Send,
) -> Result<T, KernelError> {
    on_a_thread(|| {
        move_into_link_name_space(netns, Some(LinkNameSpaceType::Network))
            .map_err(|error| KernelError::call("entering a network namespace", error))?;
        task()
    })
}

/// Does something on a thread that is thrown away.
fn on_a_thread<T: Send>(
    task: impl FnOnce() -> Result<T, KernelError> + Send,
) -> Result<T, KernelError> {
    thread::scope(|scope| {
        let thread = thread::Builder::new().name("netns".into());
        let handle = thread
            .spawn_scoped(scope, task)
            .map_err(|error| KernelError::call("starting a thread", error))?;
        handle.join().unwrap_or_else(|_| {
            Err(KernelError::call(
                "working in a network namespace",
                io::Error::other("the thread panicked"),
            ))
        })
    })
}

fn cookie() -> Result<NetnsCookie, KernelError> {
    let read = || {
        let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
        let mut cookie = MaybeUninit::<u64>::uninit();
        let mut length = libc::socklen_t::try_from(size_of::<u64>()).map_err(io::Error::other)?;
        // SAFETY: the option's value is eight bytes, and there is room for them.
        let done = unsafe {
            libc::getsockopt(
                socket.as_raw_fd(),
                libc::SOL_SOCKET,
                SO_NETNS_COOKIE,
                cookie.as_mut_ptr().cast(),
                &raw mut length,
            )
        };
        if done != 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the kernel filled it in.
        Ok(NetnsCookie(unsafe { cookie.assume_init() }))
    };
    read().map_err(|error| KernelError::call("asking for a namespace's cookie", error))
}

fn loopback_up() -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    // SAFETY: the structure is plain data, and all zero is a value of it.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(b"lo") {
        *to = from.cast_signed();
    }
    let flags = libc::IFF_UP | libc::IFF_RUNNING;
    request.ifr_ifru.ifru_flags = libc::c_short::try_from(flags).map_err(io::Error::other)?;
    // SAFETY: this request reads an interface's name and flags, which are there.
    let done = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw const request) };
    if done != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

fn bind() -> io::Result<Listeners> {
    let tcp = on_a_reserved_port(bind_tcp)?;
    let dns = on_a_reserved_port(|port| bind_dns(Ipv4Addr::LOCALHOST.into(), port))?;
    // Containers often have no `::1`; the port may be taken there. Both only mean that such lookups are refused.
    let dns6 = bind_dns(Ipv6Addr::LOCALHOST.into(), dns.local_addr()?.port()).ok();
    Ok(Listeners { tcp, dns, dns6 })
}

/// Binds to the first free port of the range. The programs go on pointing at our ports when we are killed; whoever could bind
/// one then would be given the agents' connections, so it must be one that takes a privilege to bind (ip(7), `EACCES`).
fn on_a_reserved_port<T>(bind: impl Fn(u16) -> io::Result<T>) -> io::Result<T> {
    let mut last = io::Error::from(io::ErrorKind::AddrInUse);
    for port in RESERVED.filter(|port| !WELL_KNOWN.contains(port)) {
        match bind(port) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => last = error,
            done => return done,
        }
    }
    Err(last)
}

fn bind_tcp(port: u16) -> io::Result<TcpListener> {
    let kind = Type::STREAM.nonblocking();
    let socket = Socket::new(Domain::IPV4, kind, Some(Protocol::TCP))?;
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn bind_dns(ip: IpAddr, port: u16) -> io::Result<UdpSocket> {
    let addr = SocketAddr::new(ip, port);
    let kind = Type::DGRAM.nonblocking();
    let socket = Socket::new(Domain::for_address(addr), kind, Some(Protocol::UDP))?;
    if addr.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_recv_buffer_size(DNS_BUFFER)?;
    socket.bind(&addr.into())?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_become_the_programs_entry() {
        let ports = Ports {
            tcp: 1,
            dns: 2,
            dns6: false,
            loopback: Loopback::Redirect,
        };
        assert_eq!(
            ports.entry(),
            NetnsEntry {
                tcp_port: 1,
                dns_port: 2,
                flags: 0
            }
        );
        let exempt = Ports {
            dns6: true,
            loopback: Loopback::Exempt,
            ..ports
        };
        assert_eq!(
            exempt.entry().flags,
            netns_flag::DNS6 | netns_flag::LOOPBACK_EXEMPT
        );
    }
}

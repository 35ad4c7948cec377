//! Tells systemd how things are, where it asks to be told: sd_notify(3), one datagram for each message.

use std::env;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// Where the service manager listens.
#[derive(Debug)]
pub(crate) struct Notify {
    to: Option<(UnixDatagram, SocketAddr)>,
}

impl Notify {
    /// As the environment says; silent where it says nothing.
    pub(crate) fn from_env() -> Self {
        let to = env::var_os("NOTIFY_SOCKET").and_then(|name| {
            let bytes = name.as_bytes();
            let address = match bytes.strip_prefix(b"@") {
                Some(name) => SocketAddr::from_abstract_name(name),
                None => SocketAddr::from_pathname(&name),
            };
            let socket = UnixDatagram::unbound().ok()?;
            socket.set_nonblocking(true).ok()?;
            Some((socket, address.ok()?))
        });
        Self { to }
    }

    /// The enforcer serves.
    pub(crate) fn ready(&self) {
        self.send("READY=1\nSTATUS=serving");
    }

    /// The enforcer stops.
    pub(crate) fn stopping(&self) {
        self.send("STOPPING=1");
    }

    /// The enforcer lives, and has looked after its programs.
    pub(crate) fn alive(&self, faults: usize) {
        let status = if faults == 0 {
            "WATCHDOG=1\nSTATUS=serving, all programs in place".to_owned()
        } else {
            format!("WATCHDOG=1\nSTATUS={faults} programs are NOT in place; see `enforcer status`")
        };
        self.send(&status);
    }

    fn send(&self, message: &str) {
        let Some((socket, address)) = &self.to else {
            return;
        };
        if let Err(error) = socket.send_to_addr(message.as_bytes(), address) {
            tracing::debug!(%error, "the service manager could not be told");
        }
    }
}

//! Finds where a process listens, so that it can be reached without being redirected to it.

use std::{
    collections::BTreeSet,
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

use anyhow::{Context, Result};

/// What `/proc/PID/net/tcp` calls a listening socket.
const LISTENING: &str = "0A";

/// An IPv4 address at which the process listens for TCP.
pub(super) fn of(process: u32) -> Result<SocketAddr> {
    let table = fs::read_to_string(format!("/proc/{process}/net/tcp"))
        .context("cannot read the sockets")?;
    let own = own_sockets(process)?;
    let mut listening = table.lines().filter_map(listening);
    let found = listening.find(|(inode, _)| own.contains(inode));
    found
        .map(|(_, address)| address)
        .context("the process listens nowhere")
}

/// Inodes of the sockets that the process has open.
fn own_sockets(process: u32) -> Result<BTreeSet<u64>> {
    let descriptors =
        fs::read_dir(format!("/proc/{process}/fd")).context("cannot read the descriptors")?;
    let targets = descriptors
        .flatten()
        .filter_map(|entry| fs::read_link(entry.path()).ok());
    Ok(targets
        .filter_map(|target| {
            let inode = target
                .to_str()?
                .strip_prefix("socket:[")?
                .strip_suffix(']')?;
            inode.parse().ok()
        })
        .collect())
}

/// Inode and address, when the line is about a listening socket.
fn listening(line: &str) -> Option<(u64, SocketAddr)> {
    let fields: Vec<&str> = line.split_ascii_whitespace().collect();
    let (local, state, inode) = (fields.get(1)?, fields.get(3)?, fields.get(9)?);
    let (address, port) = local.split_once(':')?;
    // The kernel prints the address as one number in the machine's own byte order.
    let address = Ipv4Addr::from(u32::from_str_radix(address, 16).ok()?.to_ne_bytes());
    let port = u16::from_str_radix(port, 16).ok()?;
    (*state == LISTENING).then_some((
        inode.parse().ok()?,
        SocketAddr::new(IpAddr::V4(address), port),
    ))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_listener_of_this_process_is_found() {
        let _listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        // Other tests of this process may listen too.
        assert!(
            of(std::process::id())
                .expect("a listener")
                .ip()
                .is_loopback()
        );
    }

    #[test]
    fn only_listening_sockets_count() {
        let line = |state| {
            format!(
                "0: 0100007F:1F90 00000000:0000 {state} 00000000:00000000 00:00000000 00000000 0 0 4242 1"
            )
        };
        let address = SocketAddr::from(([127, 0, 0, 1], 8080));
        assert_eq!(listening(&line(LISTENING)), Some((4242, address)));
        assert_eq!(listening(&line("01")), None);
    }
}

//! Name lookups go to the enforcer and come back from the server that was asked; no other datagram goes anywhere.

use std::net::UdpSocket;

use enforcer_flow::ClientAddr;
use enforcer_kernel::{Loopback, Origin, Origins as _};

use crate::sandbox::Sandbox;

/// `EPERM`.
const REFUSED: &str = "error 1";

/// Receives one query, asks who sent it, and answers.
fn serve(sandbox: &Sandbox, socket: &UdpSocket) -> (String, Option<Origin>) {
    let mut buffer = [0; 64];
    let (length, client) = socket.recv_from(&mut buffer).unwrap();
    let origins = sandbox.programs().origins().unwrap();
    let origin = origins.udp(sandbox.netns.cookie(), ClientAddr::new(client));
    socket.send_to(b"answer", client).unwrap();
    (String::from_utf8_lossy(&buffer[..length]).into(), origin)
}

fn check_origin(sandbox: &Sandbox, pid: u32, origin: Option<Origin>, dst: &str) {
    let origin = origin.expect("the query has an origin");
    assert_eq!(origin.dst.to_string(), dst);
    assert_eq!(origin.cgroup, sandbox.id);
    assert_eq!(origin.process.pid, pid);
}

fn check_unconnected(family: u32, server: &str, shown: &str) {
    let Some(sandbox) = Sandbox::new(Loopback::Exempt) else {
        return;
    };
    let mut agent = sandbox.agent();
    agent.ask(&format!("socket {family} 2 17"));
    let sent = agent.ask(&format!("sendto {server} query"));
    assert!(sent.starts_with("ok "), "{sent}");
    let six = server.starts_with('[') && !server.starts_with("[::ffff:");
    let socket = match &sandbox.listeners.dns6 {
        Some(dns6) if six => dns6,
        _ => &sandbox.listeners.dns,
    };
    let (query, origin) = serve(&sandbox, socket);
    assert_eq!(query, "query");
    check_origin(&sandbox, agent.pid(), origin, shown);
    assert_eq!(agent.ask("recvfrom"), format!("ok answer {server}"));
}

fn check_connected(family: u32, server: &str, shown: &str) {
    let Some(sandbox) = Sandbox::new(Loopback::Exempt) else {
        return;
    };
    let mut agent = sandbox.agent();
    agent.ask(&format!("socket {family} 2 17"));
    let connected = agent.ask(&format!("connect {server}"));
    assert!(connected.starts_with("ok "), "{connected}");
    assert_eq!(agent.ask("peer"), format!("ok {server}"));
    for _ in 0..2 {
        assert_eq!(agent.ask("send query"), "ok");
        let (query, origin) = serve(&sandbox, &sandbox.listeners.dns);
        assert_eq!(query, "query");
        check_origin(&sandbox, agent.pid(), origin, shown);
        assert_eq!(agent.ask("recvfrom"), format!("ok answer {server}"));
    }
}

#[test]
fn an_unconnected_lookup_over_ipv4_is_answered_as_if_by_its_server() {
    check_unconnected(2, "8.8.8.8:53", "8.8.8.8:53");
}

#[test]
fn an_unconnected_lookup_over_ipv6_is_answered_as_if_by_its_server() {
    check_unconnected(10, "[2001:db8::53]:53", "[2001:db8::53]:53");
}

#[test]
fn an_unconnected_lookup_over_mapped_ipv4_is_answered_as_if_by_its_server() {
    check_unconnected(10, "[::ffff:8.8.8.8]:53", "8.8.8.8:53");
}

#[test]
fn a_connected_lookup_over_ipv4_is_answered_as_if_by_its_server() {
    check_connected(2, "8.8.8.8:53", "8.8.8.8:53");
}

#[test]
fn a_connected_lookup_over_ipv6_is_answered_as_if_by_its_server() {
    check_connected(10, "[2001:db8::53]:53", "[2001:db8::53]:53");
}

#[test]
fn a_resolver_on_loopback_is_ours_too() {
    check_connected(2, "127.0.0.11:53", "127.0.0.11:53");
    check_unconnected(2, "127.0.0.1:53", "127.0.0.1:53");
}

#[test]
fn the_source_of_an_answer_follows_the_last_server_asked() {
    let Some(sandbox) = Sandbox::new(Loopback::Exempt) else {
        return;
    };
    let mut agent = sandbox.agent();
    agent.ask("socket 2 2 17");
    for server in ["8.8.8.8:53", "1.1.1.1:53"] {
        agent.ask(&format!("sendto {server} query"));
        serve(&sandbox, &sandbox.listeners.dns);
        assert_eq!(agent.ask("recvfrom"), format!("ok answer {server}"));
    }
}

#[test]
fn other_datagrams_are_refused() {
    let Some(sandbox) = Sandbox::new(Loopback::Exempt) else {
        return;
    };
    let mut agent = sandbox.agent();
    for (family, dst) in [
        (2, "192.0.2.1:443"),
        (10, "[2001:db8::1]:443"),
        (10, "[::ffff:192.0.2.1]:443"),
    ] {
        agent.ask(&format!("socket {family} 2 17"));
        assert_eq!(agent.ask(&format!("sendto {dst} x")), REFUSED, "`{dst}`");
        assert_eq!(agent.ask(&format!("connect {dst}")), REFUSED, "`{dst}`");
    }
}

#[test]
fn a_namespace_of_ones_own_keeps_its_loopback() {
    let Some(sandbox) = Sandbox::new(Loopback::Exempt) else {
        return;
    };
    let mut server = sandbox.agent();
    server.ask("socket 2 2 17");
    server.ask("bind 127.0.0.1:5000");
    let mut agent = sandbox.agent();
    agent.ask("socket 2 2 17");
    let sent = agent.ask("sendto 127.0.0.1:5000 hello");
    let source = sent
        .strip_prefix("ok 0.0.0.0:")
        .expect("the datagram is sent");
    assert_eq!(
        server.ask("recvfrom"),
        format!("ok hello 127.0.0.1:{source}")
    );
}

#[test]
fn a_shared_namespace_has_no_loopback() {
    let Some(sandbox) = Sandbox::new(Loopback::Redirect) else {
        return;
    };
    let mut agent = sandbox.agent();
    agent.ask("socket 2 2 17");
    assert_eq!(agent.ask("sendto 127.0.0.1:5000 hello"), REFUSED);
}

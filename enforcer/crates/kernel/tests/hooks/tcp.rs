//! TCP is bent to the listener, and the listener learns where it was to go.

use std::io::{ErrorKind, Read as _};

use enforcer_kernel::Loopback;

use crate::agent::PATIENCE;
use crate::sandbox::Sandbox;

/// Connects from a socket of `family` (2 or 10) to `dst`; the origin must say `shown`, and so must the agent's own view.
fn check(family: u32, dst: &str, shown: &str) {
    let Some(sandbox) = Sandbox::new(Loopback::Exempt) else {
        return;
    };
    let mut agent = sandbox.agent();
    assert_eq!(agent.ask(&format!("socket {family} 1 6")), "ok");
    let local = agent.ask(&format!("connect {dst}"));
    let (_stream, _, origin) = sandbox.accept();
    let origin = origin.unwrap_or_else(|| panic!("no origin; the agent says `{local}`"));
    assert_eq!(origin.dst.to_string(), shown);
    assert_eq!(origin.cgroup, sandbox.id);
    assert_eq!(origin.netns, sandbox.netns.cookie());
    assert_eq!(origin.process.pid, agent.pid());
    assert_eq!(origin.process.uid, 0);
    assert!(
        origin.process.comm.starts_with("agent::agent_pr"),
        "{origin:?}"
    );
    assert_eq!(agent.ask("peer"), format!("ok {dst}"));
}

#[test]
fn ipv4_is_redirected_with_its_origin() {
    check(2, "192.0.2.1:443", "192.0.2.1:443");
}

#[test]
fn ipv6_is_redirected_with_its_origin() {
    check(10, "[2001:db8::1]:443", "[2001:db8::1]:443");
}

#[test]
fn ipv4_mapped_is_redirected_with_its_origin() {
    check(10, "[::ffff:192.0.2.1]:443", "192.0.2.1:443");
}

#[test]
fn tcp_port_53_is_redirected_even_on_loopback() {
    check(2, "127.0.0.11:53", "127.0.0.11:53");
}

#[test]
fn a_connection_is_whose_who_connects_and_not_whose_who_made_the_socket() {
    let Some(sandbox) = Sandbox::new(Loopback::Exempt) else {
        return;
    };
    let mut agent = sandbox.agent();
    agent.ask("socket 2 1 6");
    let answer = agent.ask("connect-in-child 192.0.2.1:443");
    let (_stream, _, origin) = sandbox.accept();
    let process = origin.unwrap().process;
    assert_eq!(answer, format!("ok {}", process.pid));
    assert_ne!(process.pid, agent.pid());
    assert_eq!(process.uid, 65534);
}

#[test]
fn a_child_cgroup_is_attributed_to_the_labelled_one_above() {
    let Some(sandbox) = Sandbox::new(Loopback::Exempt) else {
        return;
    };
    let child = sandbox.cgroup.join("a/b");
    std::fs::create_dir_all(&child).unwrap();
    let mut agent = sandbox.agent_in(&child);
    agent.ask("socket 2 1 6");
    agent.ask("connect 192.0.2.1:443");
    let (_stream, _, origin) = sandbox.accept();
    assert_eq!(origin.unwrap().cgroup, sandbox.id);
}

#[test]
fn multipath_tcp_is_redirected_with_its_origin() {
    let Some(sandbox) = Sandbox::new(Loopback::Exempt) else {
        return;
    };
    let mut agent = sandbox.agent();
    let socket = agent.ask("socket 2 1 262");
    if socket != "ok" {
        println!("skipped: this kernel has no multipath TCP ({socket})");
        return;
    }
    agent.ask("connect 192.0.2.1:443");
    let (_stream, _, origin) = sandbox.accept();
    assert_eq!(origin.unwrap().dst.to_string(), "192.0.2.1:443");
    assert_eq!(agent.ask("peer"), "ok 192.0.2.1:443");
    agent.ask("socket 10 1 262");
    agent.ask("connect [2001:db8::1]:443");
    let (_stream, _, origin) = sandbox.accept();
    assert_eq!(origin.unwrap().dst.to_string(), "[2001:db8::1]:443");
    assert_eq!(agent.ask("peer"), "ok [2001:db8::1]:443");
}

#[test]
fn an_ipv6_only_socket_reaches_nobody() {
    let Some(sandbox) = Sandbox::new(Loopback::Exempt) else {
        return;
    };
    let mut agent = sandbox.agent();
    agent.ask("socket 10 1 6");
    agent.ask("only-v6");
    // ENETUNREACH: it cannot go to an IPv4 listener.
    assert_eq!(agent.ask("connect [2001:db8::1]:443"), "error 101");
}

#[test]
fn a_socket_that_is_used_again_has_its_new_origin() {
    let Some(sandbox) = Sandbox::new(Loopback::Exempt) else {
        return;
    };
    let gone = sandbox.netns.listen().unwrap();
    let ports = gone.ports(Loopback::Exempt).unwrap();
    drop(gone);
    sandbox
        .programs()
        .serve(sandbox.netns.cookie(), ports)
        .unwrap();
    let mut agent = sandbox.agent();
    agent.ask("socket 2 1 6");
    assert_eq!(agent.ask("connect 192.0.2.1:443"), "error 111");
    let ports = sandbox.listeners.ports(Loopback::Exempt).unwrap();
    sandbox
        .programs()
        .serve(sandbox.netns.cookie(), ports)
        .unwrap();
    // A socket that did not block tells of its failure once more (ECONNABORTED) before it may be used again.
    assert_eq!(agent.ask("connect 192.0.2.2:443"), "error 103");
    assert!(agent.ask("connect 192.0.2.2:443").starts_with("ok"));
    let (_stream, _, origin) = sandbox.accept();
    assert_eq!(origin.unwrap().dst.to_string(), "192.0.2.2:443");
}

#[test]
fn an_abort_reaches_the_listener() {
    let Some(sandbox) = Sandbox::new(Loopback::Exempt) else {
        return;
    };
    let mut agent = sandbox.agent();
    agent.ask("socket 2 1 6");
    agent.ask("connect 192.0.2.1:443");
    let (mut stream, _, _) = sandbox.accept();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    agent.ask("abort");
    let error = stream.read(&mut [0]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

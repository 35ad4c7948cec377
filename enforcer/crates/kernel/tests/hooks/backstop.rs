//! Sockets that no other hook could bend reach nobody; those of a namespace of one's own reach each other.

use enforcer_kernel::{Hook, Loopback, Reason};

use crate::refuse::next;
use crate::sandbox::{Sandbox, block_on};

#[test]
fn a_socket_from_before_the_programs_reaches_nobody() {
    let Some(sandbox) = Sandbox::idle() else {
        return;
    };
    let mut agent = sandbox.agent();
    agent.ask("socket 2 2 17");
    let answer = agent.ask("connect 127.0.0.1:5000");
    assert!(answer.starts_with("ok"), "{answer}");
    sandbox.enforce(Loopback::Redirect);
    block_on(async {
        let mut events = sandbox.programs().events().unwrap();
        assert_eq!(agent.ask("send x"), "error 1");
        let refused = next(&mut events).await;
        let seen = (refused.hook, refused.reason, refused.protocol);
        assert_eq!(seen, (Hook::Egress, Reason::Backstop, 17));
        assert_eq!(refused.dst, Some("127.0.0.1:5000".parse().unwrap()));
        assert_eq!(refused.cgroup, Some(sandbox.id));
    });
}

#[test]
fn what_listened_before_the_programs_goes_on_serving_its_own_loopback() {
    let Some(sandbox) = Sandbox::idle() else {
        return;
    };
    let mut server = sandbox.agent();
    let listening = server.ask("listen 127.0.0.1:0");
    let addr = listening.strip_prefix("ok ").unwrap();
    sandbox.enforce(Loopback::Exempt);
    let mut client = sandbox.agent();
    client.ask("socket 2 1 6");
    let connected = client.ask(&format!("connect {addr}"));
    if !connected.starts_with("ok") && release() < (6, 15) {
        println!("skipped: before Linux 6.15 a packet does not tell its namespace ({connected})");
        return;
    }
    assert!(connected.starts_with("ok"), "{connected}");
    assert_eq!(server.ask("accept"), "ok");
    assert_eq!(server.ask("send hello"), "ok");
    assert_eq!(client.ask("recv"), "ok hello");
}

/// The running kernel's.
fn release() -> (u32, u32) {
    let text = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let mut numbers = text.split(['.', '-']).map(|part| part.parse().unwrap_or(0));
    (numbers.next().unwrap(), numbers.next().unwrap())
}

#[test]
fn an_inbound_connection_is_not_answered() {
    let Some(sandbox) = Sandbox::new(Loopback::Redirect) else {
        return;
    };
    let mut agent = sandbox.agent();
    let listening = agent.ask("listen 127.0.0.1:0");
    let addr = listening.strip_prefix("ok ").unwrap();
    let mut visitor = sandbox.stranger();
    block_on(async {
        let mut events = sandbox.programs().events().unwrap();
        visitor.tell(&format!("visit {addr}"));
        let refused = next(&mut events).await;
        let seen = (refused.hook, refused.reason, refused.protocol);
        assert_eq!(seen, (Hook::Egress, Reason::Backstop, 6));
        assert_eq!(refused.cgroup, Some(sandbox.id));
        assert_eq!(refused.process.pid, agent.pid());
    });
}

#[test]
fn processes_of_one_namespace_reach_each_other() {
    let Some(sandbox) = Sandbox::new(Loopback::Exempt) else {
        return;
    };
    let mut server = sandbox.agent();
    for addr in ["127.0.0.1:0", "[::1]:0"] {
        let listening = server.ask(&format!("listen {addr}"));
        let addr = listening.strip_prefix("ok ").unwrap();
        let mut client = sandbox.agent();
        client.ask(if addr.starts_with('[') {
            "socket 10 1 6"
        } else {
            "socket 2 1 6"
        });
        let connected = client.ask(&format!("connect {addr}"));
        assert!(connected.starts_with("ok"), "{connected}");
        assert_eq!(server.ask("accept"), "ok");
        assert_eq!(client.ask("send hello"), "ok");
        assert_eq!(server.ask("recv"), "ok hello");
        // The accepted socket never went through `socket(2)`, yet its namespace is known.
        assert_eq!(server.ask("send world"), "ok");
        assert_eq!(client.ask("recv"), "ok world");
    }
}

#[test]
fn on_a_shared_loopback_a_connection_goes_to_the_listener() {
    let Some(sandbox) = Sandbox::new(Loopback::Redirect) else {
        return;
    };
    let mut server = sandbox.stranger();
    let listening = server.ask("listen 127.0.0.1:0");
    let addr = listening.strip_prefix("ok ").unwrap();
    let mut agent = sandbox.agent();
    agent.ask("socket 2 1 6");
    agent.ask(&format!("connect {addr}"));
    let (_stream, _, origin) = sandbox.accept();
    assert_eq!(origin.unwrap().dst.to_string(), addr);
}

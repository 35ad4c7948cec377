//! What a workload's stance does in the kernel: a quarantine refuses everything, observing refuses nothing and tells all the same.

use enforcer_flow::Stance;
use enforcer_kernel::{Hook, Loopback, Programs, Reason};

use crate::refuse::next;
use crate::sandbox::{Sandbox, block_on};

/// `EPERM`.
const REFUSED: &str = "error 1";
/// `ENETUNREACH`: the namespace leads nowhere, so what was let past ends here.
const NOWHERE: &str = "error 101";

fn take(sandbox: &Sandbox, stance: Stance) {
    sandbox.programs().take_stance(sandbox.id, stance).unwrap();
}

#[test]
fn nothing_of_a_quarantined_workload_goes_anywhere() {
    for loopback in [Loopback::Redirect, Loopback::Exempt] {
        let Some(sandbox) = Sandbox::new(loopback) else {
            return;
        };
        let mut open = sandbox.agent();
        open.ask("socket 2 1 6");
        assert!(open.ask("connect 192.0.2.1:443").starts_with("ok"));
        let (_stream, _, origin) = sandbox.accept();
        assert!(origin.is_some());
        let mut agent = sandbox.agent();
        take(&sandbox, Stance::Quarantine);
        block_on(async {
            let mut events = sandbox.programs().events().unwrap();
            for (socket, order, hook) in [
                ("socket 2 1 6", "connect 192.0.2.1:443", Hook::Connect4),
                ("socket 10 1 6", "connect [2001:db8::1]:443", Hook::Connect6),
                ("socket 2 1 6", "connect 127.0.0.1:8000", Hook::Connect4),
                ("socket 2 2 17", "sendto 8.8.8.8:53 x", Hook::Sendmsg4),
                ("socket 2 2 17", "connect 8.8.8.8:53", Hook::Connect4),
                ("socket 2 2 17", "connect 198.18.0.1:443", Hook::Connect4),
            ] {
                agent.ask(socket);
                assert_eq!(agent.ask(order), REFUSED, "`{order}`");
                let told = next(&mut events).await;
                let seen = (told.hook, told.reason, told.let_past);
                assert_eq!(seen, (hook, Reason::Quarantined, false), "`{order}`");
                assert_eq!(told.cgroup, Some(sandbox.id));
            }
            // What is open already: its packets to our own listener stay here too.
            open.tell("send x");
            let told = next(&mut events).await;
            assert_eq!(
                (told.hook, told.reason),
                (Hook::Egress, Reason::Quarantined)
            );
            assert_eq!(told.process.pid, open.pid());
        });
        take(&sandbox, Stance::Enforce);
        agent.ask("socket 2 1 6");
        assert!(agent.ask("connect 192.0.2.1:443").starts_with("ok"));
    }
}

#[test]
fn a_quarantine_outlives_the_daemon() {
    let Some(mut sandbox) = Sandbox::new(Loopback::Exempt) else {
        return;
    };
    take(&sandbox, Stance::Quarantine);
    let mut agent = sandbox.agent();
    drop(sandbox.programs.take());
    agent.ask("socket 2 1 6");
    assert_eq!(agent.ask("connect 127.0.0.1:8000"), REFUSED);
    let successor = Programs::load(&sandbox.pins).unwrap();
    assert_eq!(
        successor.stance(sandbox.id).unwrap(),
        Some(Stance::Quarantine)
    );
    successor.attach(&sandbox.cgroup, sandbox.id).unwrap();
    let ports = sandbox.listeners.ports(Loopback::Exempt).unwrap();
    successor.serve(sandbox.netns.cookie(), ports).unwrap();
    assert_eq!(agent.ask("connect 127.0.0.1:8000"), REFUSED);
    successor.release().unwrap();
}

#[test]
fn what_an_observed_workload_does_is_told_and_let_past() {
    let Some(sandbox) = Sandbox::new(Loopback::Exempt) else {
        return;
    };
    take(&sandbox, Stance::Observe);
    let mut agent = sandbox.agent();
    block_on(async {
        let mut events = sandbox.programs().events().unwrap();
        for (socket, order, answer, hook, reason) in [
            (
                "socket 2 2 17",
                "sendto 192.0.2.1:443 x",
                NOWHERE,
                Hook::Sendmsg4,
                Reason::Protocol,
            ),
            (
                "socket 10 2 17",
                "connect [2001:db8::1]:443",
                NOWHERE,
                Hook::Connect6,
                Reason::Protocol,
            ),
        ] {
            agent.ask(socket);
            assert_eq!(agent.ask(order), answer, "`{order}`");
            let told = next(&mut events).await;
            let seen = (told.hook, told.reason, told.let_past);
            assert_eq!(seen, (hook, reason, true), "`{order}`");
        }
        // Raw sockets, and their packets.
        assert_eq!(agent.ask("socket 2 3 1"), "ok");
        let told = next(&mut events).await;
        let seen = (told.hook, told.reason, told.let_past);
        assert_eq!(seen, (Hook::SockCreate, Reason::Socket, true));
        assert!(agent.ask("sendto 127.0.0.1:0 xxxxxxxx").starts_with("ok"));
        let told = next(&mut events).await;
        let seen = (told.hook, told.protocol, told.let_past);
        assert_eq!(seen, (Hook::Egress, 1, true));
        // TCP still goes to the listener, so that it can be judged.
        agent.ask("socket 2 1 6");
        assert!(agent.ask("connect 192.0.2.1:443").starts_with("ok"));
        let (_stream, _, origin) = sandbox.accept();
        assert_eq!(origin.unwrap().dst.to_string(), "192.0.2.1:443");
        // Our own listener is no destination, observed or not.
        let own = sandbox.listeners.ports(Loopback::Exempt).unwrap().tcp;
        agent.ask("socket 2 1 6");
        assert_eq!(agent.ask(&format!("connect 127.0.0.1:{own}")), REFUSED);
    });
}

#[test]
fn what_is_observed_no_more_is_refused_again() {
    let Some(sandbox) = Sandbox::new(Loopback::Exempt) else {
        return;
    };
    take(&sandbox, Stance::Observe);
    let mut agent = sandbox.agent();
    assert_eq!(agent.ask("socket 2 3 1"), "ok");
    assert!(agent.ask("sendto 127.0.0.1:0 xxxxxxxx").starts_with("ok"));
    take(&sandbox, Stance::Enforce);
    assert_eq!(agent.ask("sendto 127.0.0.1:0 xxxxxxxx"), REFUSED);
}

#[test]
fn a_socket_from_before_is_observed_with_its_cgroup() {
    let Some(sandbox) = Sandbox::idle() else {
        return;
    };
    let mut agent = sandbox.agent();
    agent.ask("socket 2 2 17");
    assert!(agent.ask("connect 127.0.0.1:5000").starts_with("ok"));
    take(&sandbox, Stance::Observe);
    sandbox.enforce(Loopback::Redirect);
    block_on(async {
        let mut events = sandbox.programs().events().unwrap();
        assert_eq!(agent.ask("send x"), "ok");
        let told = next(&mut events).await;
        let seen = (told.hook, told.reason, told.let_past);
        assert_eq!(seen, (Hook::Egress, Reason::Backstop, true));
        assert_eq!(told.cgroup, Some(sandbox.id));
    });
}

#[test]
fn resolvers_may_connect_to_what_they_were_told_and_nothing_is_sent() {
    for (family, target) in [(2, "198.18.0.7:443"), (10, "[fd90:78a:4430::7]:443")] {
        for stance in [Stance::Enforce, Stance::Observe] {
            let Some(sandbox) = Sandbox::new(Loopback::Exempt) else {
                return;
            };
            take(&sandbox, stance);
            let mut agent = sandbox.agent();
            block_on(async {
                let mut events = sandbox.programs().events().unwrap();
                // As getaddrinfo(3) does for each address it found: no event.
                agent.ask(&format!("socket {family} 2 17"));
                let connected = agent.ask(&format!("connect {target}"));
                assert!(connected.starts_with("ok"), "{connected}");
                assert_eq!(agent.ask("peer"), format!("ok {target}"));
                // As QUIC does: refused at once, and told with the address it meant.
                assert_eq!(agent.ask("send x"), REFUSED);
                let told = next(&mut events).await;
                let seen = (told.hook, told.reason, told.let_past);
                assert_eq!(seen, (Hook::Egress, Reason::Protocol, false));
                assert_eq!(told.dst, Some(target.parse().unwrap()));
            });
        }
    }
}

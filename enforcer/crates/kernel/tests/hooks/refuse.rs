//! What is not bent is refused, and every refusal is told.

use enforcer_kernel::{Events, Hook, Loopback, Reason, Refused};

use crate::sandbox::{Sandbox, block_on};

/// More refusals than a workload may have told in a second.
const FLOOD: u64 = 1000;
/// `EPERM`.
const REFUSED: &str = "error 1";

/// The next event; a test does not wait for ever.
pub(crate) async fn next(events: &mut Events) -> Refused {
    let patience = std::time::Duration::from_secs(5);
    let next = tokio::time::timeout(patience, events.next());
    next.await.expect("an event was to come").unwrap()
}

/// Has an agent in a namespace do `orders`, the last of which must be refused, and returns the event.
fn refusal(loopback: Loopback, orders: &[&str]) -> Option<Refused> {
    let sandbox = Sandbox::new(loopback)?;
    let mut agent = sandbox.agent();
    let (last, first) = orders.split_last().unwrap();
    for order in first {
        let answer = agent.ask(order);
        assert!(answer.starts_with("ok"), "`{order}` gave `{answer}`");
    }
    let mut told = None;
    block_on(async {
        let mut events = sandbox.programs().events().unwrap();
        assert_eq!(agent.ask(last), REFUSED, "`{last}`");
        told = Some(next(&mut events).await);
    });
    let refused = told?;
    assert_eq!(refused.cgroup, Some(sandbox.id));
    assert_eq!(refused.netns, Some(sandbox.netns.cookie()));
    assert_eq!(refused.process.pid, agent.pid());
    Some(refused)
}

fn check(orders: &[&str], hook: Hook, reason: Reason, protocol: u32, dst: Option<&str>) {
    if let Some(refused) = refusal(Loopback::Exempt, orders) {
        assert_eq!((refused.hook, refused.reason), (hook, reason));
        assert_eq!(refused.protocol, protocol);
        assert_eq!(refused.dst.map(|dst| dst.to_string()).as_deref(), dst);
    }
}

#[test]
fn refused_datagrams_are_told() {
    let (hook, to) = (Hook::Sendmsg4, "192.0.2.1:443");
    check(
        &["socket 2 2 17", "sendto 192.0.2.1:443 x"],
        hook,
        Reason::Protocol,
        17,
        Some(to),
    );
    let hook = Hook::Connect4;
    check(
        &["socket 2 2 17", "connect 192.0.2.1:443"],
        hook,
        Reason::Protocol,
        17,
        Some(to),
    );
    let (hook, to) = (Hook::Sendmsg6, "[2001:db8::1]:443");
    check(
        &["socket 10 2 17", "sendto [2001:db8::1]:443 x"],
        hook,
        Reason::Protocol,
        17,
        Some(to),
    );
}

#[test]
fn sockets_that_could_go_round_are_not_given_out() {
    // Raw ICMP, raw with own headers, ping, UDP-Lite, over both families.
    for (order, protocol) in [
        ("socket 2 3 1", 1),
        ("socket 2 3 255", 255),
        ("socket 2 2 1", 1),
        ("socket 2 2 136", 136),
        ("socket 10 3 58", 58),
        ("socket 10 3 255", 255),
        ("socket 10 2 58", 58),
    ] {
        // A new namespace gives ping sockets to nobody; the hook must refuse even where it is open to all.
        check(
            &["allow-ping", order],
            Hook::SockCreate,
            Reason::Socket,
            protocol,
            None,
        );
    }
}

#[test]
fn the_listener_itself_is_no_destination() {
    for loopback in [Loopback::Exempt, Loopback::Redirect] {
        let Some(sandbox) = Sandbox::new(loopback) else {
            return;
        };
        let own = sandbox.listeners.ports(loopback).unwrap();
        let mut agent = sandbox.agent();
        for dst in ["127.0.0.1", "0.0.0.0", "127.9.9.9"] {
            agent.ask("socket 2 1 6");
            assert_eq!(
                agent.ask(&format!("connect {dst}:{}", own.tcp)),
                REFUSED,
                "`{dst}`"
            );
            agent.ask("socket 2 2 17");
            assert_eq!(
                agent.ask(&format!("sendto {dst}:{} x", own.dns)),
                REFUSED,
                "`{dst}`"
            );
        }
    }
}

#[test]
fn a_group_is_not_joined() {
    check(
        &["socket 2 2 17", "join 239.255.0.1"],
        Hook::Setsockopt,
        Reason::Protocol,
        2,
        None,
    );
}

#[test]
fn nobody_stands_in_for_the_listener() {
    let Some(sandbox) = Sandbox::new(Loopback::Redirect) else {
        return;
    };
    let own = sandbox.listeners.ports(Loopback::Redirect).unwrap();
    let mut agent = sandbox.agent();
    block_on(async {
        let mut events = sandbox.programs().events().unwrap();
        for (socket, addr) in [
            ("socket 2 1 6", format!("127.0.0.2:{}", own.tcp)),
            ("socket 10 2 17", format!("[::ffff:127.0.0.2]:{}", own.dns)),
        ] {
            agent.ask(socket);
            assert_eq!(agent.ask(&format!("bind {addr}")), REFUSED, "`{addr}`");
            let refused = next(&mut events).await;
            let seen = (refused.hook, refused.reason);
            assert_eq!(seen, (Hook::Bind, Reason::Own), "`{addr}`");
        }
    });
    agent.ask("socket 2 1 6");
    assert_eq!(agent.ask("bind 127.0.0.2:5000"), "ok");
}

#[test]
fn a_connection_that_nobody_took_is_told() {
    let Some(sandbox) = Sandbox::new(Loopback::Exempt) else {
        return;
    };
    let mut agent = sandbox.agent();
    block_on(async {
        let mut events = sandbox.programs().events().unwrap();
        agent.ask("socket 2 1 6");
        assert!(agent.ask("connect 192.0.2.1:443").starts_with("ok"));
        agent.ask("close");
        let refused = next(&mut events).await;
        let seen = (refused.hook, refused.reason);
        assert_eq!(seen, (Hook::SockOps, Reason::Unaccepted));
        assert_eq!(refused.dst, Some("192.0.2.1:443".parse().unwrap()));
        assert_eq!(refused.process.pid, agent.pid());
    });
}

#[test]
fn without_a_listener_everything_is_refused() {
    let Some(sandbox) = Sandbox::idle() else {
        return;
    };
    sandbox
        .programs()
        .attach(&sandbox.cgroup, sandbox.id)
        .unwrap();
    let mut agent = sandbox.agent();
    for (socket, order) in [
        ("socket 2 1 6", "connect 192.0.2.1:443"),
        ("socket 2 1 6", "connect 127.0.0.1:8000"),
        ("socket 10 1 6", "connect [2001:db8::1]:443"),
        ("socket 2 2 17", "sendto 8.8.8.8:53 x"),
    ] {
        agent.ask(socket);
        assert_eq!(agent.ask(order), REFUSED, "`{order}`");
    }
}

#[test]
fn a_flood_of_refusals_is_counted_not_sent() {
    let Some(sandbox) = Sandbox::new(Loopback::Exempt) else {
        return;
    };
    let mut agent = sandbox.agent();
    agent.ask("socket 2 2 17");
    block_on(async {
        let mut events = sandbox.programs().events().unwrap();
        for _ in 0..FLOOD {
            assert_eq!(agent.ask("sendto 192.0.2.1:443 x"), REFUSED);
        }
        let lost = events.lost().unwrap();
        assert_eq!(lost.full, 0);
        assert!(lost.suppressed > 0, "{lost:?}");
        for _ in 0..FLOOD - lost.suppressed {
            next(&mut events).await;
        }
    });
}

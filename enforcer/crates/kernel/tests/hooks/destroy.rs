//! Sockets that were connected before the programs came are found and destroyed; nobody else's are.

use enforcer_kernel::{Loopback, sockets};

use crate::agent::Agent;
use crate::sandbox::Sandbox;

/// Sockets of an agent, and one of a stranger's, all connected on the loopback of one namespace.
struct Connected {
    sandbox: Sandbox,
    agents: Vec<Agent>,
    stranger: Agent,
}

impl Connected {
    fn new() -> Option<Self> {
        let sandbox = Sandbox::idle()?;
        let mut server = sandbox.agent_in(&sandbox.sibling("server"));
        let listening = server.ask("listen 127.0.0.1:0");
        let tcp = listening.strip_prefix("ok ").unwrap().to_owned();
        let below = sandbox.cgroup.join("below");
        std::fs::create_dir(&below).unwrap();
        let connect = |mut agent: Agent, socket: &str, peer: &str| {
            agent.ask(&format!("socket {socket}"));
            let answer = agent.ask(&format!("connect {peer}"));
            assert!(answer.starts_with("ok"), "{answer}");
            agent
        };
        let agents = vec![
            connect(sandbox.agent(), "2 1 6", &tcp),
            connect(sandbox.agent(), "2 2 17", "127.0.0.1:5000"),
            connect(sandbox.agent(), "10 2 17", "[::ffff:127.0.0.1]:5000"),
            connect(sandbox.agent_in(&below), "10 2 17", "[::1]:5000"),
        ];
        let stranger = connect(sandbox.stranger(), "2 2 17", "127.0.0.1:5000");
        // The listening end is nobody's that is asked about, and must outlive its connections.
        let mut all = agents;
        all.push(server);
        Some(Self {
            sandbox,
            agents: all,
            stranger,
        })
    }
}

#[test]
fn sockets_from_before_the_programs_are_destroyed_and_nobody_elses() {
    let Some(Connected {
        sandbox,
        mut agents,
        mut stranger,
    }) = Connected::new()
    else {
        return;
    };
    sandbox.enforce(Loopback::Redirect);
    let found = sockets::connected(&sandbox.netns, &sandbox.cgroup, Loopback::Redirect).unwrap();
    let mut seen: Vec<String> = found
        .iter()
        .map(|socket| format!("{} {}", socket.transport.name(), socket.peer.ip()))
        .collect();
    seen.sort();
    assert_eq!(
        seen,
        ["tcp 127.0.0.1", "udp 127.0.0.1", "udp 127.0.0.1", "udp ::1"]
    );
    assert_eq!(
        found
            .iter()
            .filter(|socket| socket.cgroup == sandbox.id)
            .count(),
        3
    );
    assert_eq!(sockets::destroy(&sandbox.netns, &found).unwrap(), 4);
    for agent in agents.iter_mut().take(4) {
        // Aborted, and told so once.
        assert_eq!(agent.ask("recv"), "error 103");
    }
    assert_eq!(stranger.ask("send x"), "ok");
    let left = sockets::connected(&sandbox.netns, &sandbox.cgroup, Loopback::Redirect).unwrap();
    assert_eq!(left, []);
    assert_eq!(sockets::destroy(&sandbox.netns, &found).unwrap(), 0);
}

#[test]
fn what_stays_in_a_namespace_of_its_own_is_left_alone() {
    let Some(connected) = Connected::new() else {
        return;
    };
    let sandbox = &connected.sandbox;
    let found = sockets::connected(&sandbox.netns, &sandbox.cgroup, Loopback::Exempt).unwrap();
    assert_eq!(found, []);
}

#[test]
fn whether_sockets_can_be_destroyed_is_found_out_by_doing_it() {
    if crate::sandbox::is_root() {
        assert!(sockets::can_be_destroyed().unwrap());
    }
}

//! Unix sockets connected by name: let through, or refused and reported, as was said of the workload.

use std::os::unix::net::{UnixDatagram, UnixListener};

use enforcer_flow::Stance;
use enforcer_kernel::unix::{self, UnixSockets};
use enforcer_kernel::{Hook, Loopback, Reason, ipproto};

use crate::refuse::next;
use crate::sandbox::{Sandbox, block_on};

const REFUSED: &str = "error 1";

/// A service of the host, by both kinds of socket.
struct Service {
    folder: tempfile::TempDir,
    _stream: UnixListener,
    _datagram: UnixDatagram,
}

impl Service {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let stream = UnixListener::bind(folder.path().join("stream")).unwrap();
        let datagram = UnixDatagram::bind(folder.path().join("datagram")).unwrap();
        Self {
            folder,
            _stream: stream,
            _datagram: datagram,
        }
    }

    fn orders(&self) -> [(String, Hook); 2] {
        let path = |name| self.folder.path().join(name).display().to_string();
        [
            (format!("unix {}", path("stream")), Hook::ConnectUnix),
            (format!("unix-send {}", path("datagram")), Hook::SendmsgUnix),
        ]
    }
}

fn sandbox() -> Option<Sandbox> {
    if !unix::is_supported() {
        println!("skipped: this kernel has no programs for unix sockets");
        return None;
    }
    Sandbox::new(Loopback::Exempt)
}

#[test]
fn unix_sockets_are_refused_where_they_may_not_be_connected() {
    let Some(sandbox) = sandbox() else { return };
    assert!(sandbox.programs().see_unix_sockets());
    let service = Service::new();
    let mut agent = sandbox.agent();
    let treat = |how| {
        sandbox
            .programs()
            .treat_unix_sockets(sandbox.id, how)
            .unwrap();
    };
    for (order, _) in service.orders() {
        assert_eq!(agent.ask(&order), "ok", "{order}");
    }
    treat(UnixSockets::Refused);
    block_on(async {
        let mut events = sandbox.programs().events().unwrap();
        for (order, hook) in service.orders() {
            assert_eq!(agent.ask(&order), REFUSED, "{order}");
            let refused = next(&mut events).await;
            let seen = (refused.hook, refused.reason, refused.protocol);
            assert_eq!(seen, (hook, Reason::Unix, ipproto::UNIX));
            assert_eq!((refused.cgroup, refused.dst), (Some(sandbox.id), None));
            assert_eq!(refused.process.pid, agent.pid());
            assert!(!refused.process.comm.is_empty());
            assert_eq!(refused.netns, Some(sandbox.netns.cookie()));
        }
    });
    assert_eq!(agent.ask("unix-pair"), "ok");
    // Its stance is another matter, and changes nothing about it.
    sandbox
        .programs()
        .take_stance(sandbox.id, Stance::Enforce)
        .unwrap();
    for (order, _) in service.orders() {
        assert_eq!(agent.ask(&order), REFUSED, "{order}");
    }
    treat(UnixSockets::Open);
    for (order, _) in service.orders() {
        assert_eq!(agent.ask(&order), "ok", "{order}");
    }
}

#[test]
fn unix_sockets_follow_the_stance() {
    let Some(sandbox) = sandbox() else { return };
    let service = Service::new();
    let mut agent = sandbox.agent();
    sandbox
        .programs()
        .take_stance(sandbox.id, Stance::Quarantine)
        .unwrap();
    for (order, _) in service.orders() {
        assert_eq!(agent.ask(&order), REFUSED, "{order}");
    }
    sandbox
        .programs()
        .treat_unix_sockets(sandbox.id, UnixSockets::Refused)
        .unwrap();
    sandbox
        .programs()
        .take_stance(sandbox.id, Stance::Observe)
        .unwrap();
    for (order, _) in service.orders() {
        assert_eq!(agent.ask(&order), "ok", "{order}");
    }
}

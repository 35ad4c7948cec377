//! Unix sockets connected by name: let through, or refused and reported, as was said of the workload.

use std::ffi::CString;
use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener};

use enforcer_flow::Stance;
use enforcer_kernel::unix::{self, UnixSockets};
use enforcer_kernel::{Hook, Loopback, Reason, ipproto};

use crate::agent::Agent;
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

/// Listens under a name without a file, for as long as the process lives.
pub(crate) fn listen_abstract(name: &str) -> io::Result<String> {
    let listener = UnixListener::bind_addr(&SocketAddr::from_abstract_name(name)?)?;
    std::mem::forget(listener);
    Ok("ok".to_owned())
}

/// Mounts a file over another, in a mount namespace of the calling thread's own.
pub(crate) fn cover(under: &str, over: &str) -> io::Result<String> {
    let done = |code: i32| match code {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    };
    let mount = |from: &str, to: &str, flags| -> io::Result<()> {
        let (from, to) = (CString::new(from)?, CString::new(to)?);
        let none = std::ptr::null();
        // SAFETY: two strings, and nothing where nothing is asked for.
        done(unsafe { libc::mount(from.as_ptr(), to.as_ptr(), none, flags, none.cast()) })
    };
    // SAFETY: no pointers.
    done(unsafe { libc::unshare(libc::CLONE_NEWNS) })?;
    mount("none", "/", libc::MS_REC | libc::MS_PRIVATE)?;
    mount(over, under, libc::MS_BIND)?;
    Ok("ok".to_owned())
}

/// Orders that lead to the stream of a service by all kinds of names, and one to a name without a file. The agent goes to the
/// folder, and mounts the socket over a file.
fn names(sandbox: &Sandbox, service: &Service, agent: &mut Agent) -> (Agent, Vec<String>) {
    let folder = service.folder.path();
    let real = folder.join("stream");
    let at = |name: &str| folder.join(name).display().to_string();
    std::os::unix::fs::symlink(&real, folder.join("symbolic")).unwrap();
    std::fs::hard_link(&real, folder.join("hard")).unwrap();
    std::fs::write(folder.join("mounted"), "").unwrap();
    let name = format!("enforcer-test-{}", std::process::id());
    // Names without a file belong to a network namespace.
    let mut stranger = sandbox.stranger();
    assert_eq!(stranger.ask(&format!("listen-abstract {name}")), "ok");
    let covered = agent.ask(&format!("cover {} {}", at("mounted"), real.display()));
    assert_eq!(covered, "ok");
    assert_eq!(agent.ask(&format!("go-to {}", folder.display())), "ok");
    let names = [
        format!("unix {}", real.display()),
        format!("unix {}", at("symbolic")),
        format!("unix {}", at("hard")),
        format!("unix {}", at("mounted")),
        format!("unix /proc/thread-self/root{}", real.display()),
        "unix /proc/thread-self/cwd/stream".to_owned(),
        "unix stream".to_owned(),
        format!("unix-abstract {name}"),
    ];
    (stranger, names.to_vec())
}

#[test]
fn a_refused_unix_socket_is_reached_by_no_other_name() {
    let Some(sandbox) = sandbox() else { return };
    let service = Service::new();
    let mut agent = sandbox.agent();
    let (_stranger, names) = names(&sandbox, &service, &mut agent);
    for order in &names {
        assert_eq!(agent.ask(order), "ok", "{order}");
    }
    // What nothing can tell apart is refused as a whole, also where there is a list.
    let programs = sandbox.programs();
    for how in [UnixSockets::Refused, UnixSockets::Listed] {
        assert!(!programs.tell_unix_sockets_apart(sandbox.id));
        programs.treat_unix_sockets(sandbox.id, how).unwrap();
        for order in &names {
            assert_eq!(agent.ask(order), REFUSED, "{how:?}: {order}");
        }
    }
}

#[test]
fn unix_sockets_on_the_list_are_known_by_whatever_name_and_others_are_refused() {
    let Some(sandbox) = crate::lsm::sandbox() else {
        return;
    };
    let (allowed, other) = (Service::new(), Service::new());
    let path = |service: &Service, name| service.folder.path().join(name);
    let list = [
        path(&allowed, "stream"),
        path(&allowed, "datagram"),
        path(&allowed, "nobody"),
    ];
    let programs = sandbox.programs();
    programs.allow_unix_sockets(&list).unwrap();
    let treated = programs.treat_unix_sockets(sandbox.id, UnixSockets::Listed);
    treated.unwrap();
    let mut agent = sandbox.agent();
    let (_stranger, names) = names(&sandbox, &allowed, &mut agent);
    let (without_file, with_file) = names.split_last().unwrap();
    for order in with_file {
        assert_eq!(agent.ask(order), "ok", "{order}");
    }
    assert_eq!(agent.ask(&allowed.orders()[1].0), "ok");
    // Of others, by a name that was an allowed one's as well.
    let target = path(&allowed, "mounted").display().to_string();
    let from = path(&other, "stream").display().to_string();
    assert_eq!(agent.ask(&format!("cover {target} {from}")), "ok");
    let mut refused: Vec<String> = other.orders().map(|(order, _)| order).into();
    refused.extend([format!("unix {target}"), without_file.clone()]);
    block_on(async {
        let mut events = sandbox.programs().events().unwrap();
        for order in &refused {
            assert_eq!(agent.ask(order), REFUSED, "{order}");
            let refused = next(&mut events).await;
            assert_eq!(
                (refused.hook, refused.reason, refused.protocol),
                (Hook::LsmUnix, Reason::Unix, ipproto::UNIX)
            );
            assert_eq!(refused.process.pid, agent.pid());
        }
    });
    // Its own, and pairs.
    assert_eq!(agent.ask("listen-abstract enforcer-test-own"), "ok");
    assert_eq!(agent.ask("unix-abstract enforcer-test-own"), "ok");
    assert_eq!(agent.ask("unix-pair"), "ok");
    // What is on the list no more is refused at once.
    programs.allow_unix_sockets(&[]).unwrap();
    for (order, _) in allowed.orders() {
        assert_eq!(agent.ask(&order), REFUSED, "{order}");
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

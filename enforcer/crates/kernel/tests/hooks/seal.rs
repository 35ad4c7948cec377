//! What leaves by a wire, however it got there, is dropped on its far side; also when the daemon is gone.

use std::net::SocketAddr;
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::process::Command;

use enforcer_kernel::{Hook, KernelError, Loopback, Netns, Programs, Seal, Sealed, probe_tcx};

use crate::agent::Agent;
use crate::refuse::next;
use crate::sandbox::{Sandbox, block_on};

/// The two ends of the wire, on the machine beyond and in the sandbox.
const FAR: &str = "10.77.0.2:9999";
const NEAR: &str = "10.77.0.1";

/// A sandbox wired to a machine beyond, somebody there who hears, and somebody in the sandbox whom no hook sees.
struct Wired {
    sandbox: Sandbox,
    beyond: Netns,
    hearer: Agent,
    sender: Agent,
}

impl Wired {
    fn new() -> Option<Self> {
        let sandbox = Sandbox::new(Loopback::Exempt)?;
        match probe_tcx() {
            Ok(true) => {}
            Ok(false) => {
                println!("skipped: {}", KernelError::Tcx);
                return None;
            }
            Err(error) => panic!("{error:?}"),
        }
        let beyond = Netns::isolated().unwrap();
        wire(&sandbox.netns, &beyond);
        let hearer = Agent::start(&sandbox.sibling("hearer"), &beyond);
        let sender = sandbox.stranger();
        let mut wired = Self {
            sandbox,
            beyond,
            hearer,
            sender,
        };
        wired.ask_hearer("socket 2 2 17");
        wired.ask_hearer(&format!("bind {FAR}"));
        wired.sender.ask("socket 2 2 17");
        Some(wired)
    }

    fn ask_hearer(&mut self, order: &str) {
        assert_eq!(self.hearer.ask(order), "ok", "`{order}`");
    }

    fn seal(&self) -> Seal {
        let programs = self.sandbox.programs();
        programs.seal(&self.sandbox.netns, self.sandbox.id).unwrap()
    }

    /// Sends `text`; the machine beyond hears the next text that comes.
    fn send(&mut self, text: &str) {
        let answer = self.sender.ask(&format!("sendto {FAR} {text}"));
        assert!(answer.starts_with("ok"), "{answer}");
    }

    fn hear(&mut self) -> String {
        self.hearer.ask("recv")
    }
}

#[test]
fn what_leaves_by_a_sealed_wire_is_dropped_and_told() {
    let Some(mut wired) = Wired::new() else {
        return;
    };
    wired.send("before");
    assert_eq!(wired.hear(), "ok before");
    block_on(async {
        let mut events = wired.sandbox.programs().events().unwrap();
        let seal = wired.seal();
        assert_eq!(seal.sealed(), Sealed { far: 1, own: 0 });
        wired.send("sealed");
        let told = next(&mut events).await;
        assert_eq!(told.hook, Hook::Seal);
        assert_eq!(told.cgroup, Some(wired.sandbox.id));
        assert_eq!(told.netns, Some(wired.sandbox.netns.cookie()));
        assert_eq!(told.dst, Some(FAR.parse::<SocketAddr>().unwrap()));
    });
    let programs = wired.sandbox.programs();
    assert!(programs.dropped_at_seals(wired.sandbox.id).unwrap() >= 1);
    programs.unseal(wired.sandbox.netns.cookie()).unwrap();
    assert_eq!(programs.sealed(), []);
    wired.send("after");
    assert_eq!(wired.hear(), "ok after");
}

#[test]
fn a_seal_outlives_the_daemon_and_a_successor_takes_it_over() {
    let Some(mut wired) = Wired::new() else {
        return;
    };
    wired.send("before");
    assert_eq!(wired.hear(), "ok before");
    drop(wired.seal());
    drop(wired.sandbox.programs.take());
    wired.send("nobody-serves");

    let cookie = wired.sandbox.netns.cookie();
    let successor = Programs::load(&wired.sandbox.pins).unwrap();
    assert_eq!(successor.sealed(), [cookie]);
    wired.sandbox.programs = Some(successor);
    let seal = wired.seal();
    assert_eq!(seal.sealed(), Sealed { far: 1, own: 0 });
    wired.send("successor");
    wired.sandbox.programs().unseal(cookie).unwrap();
    wired.send("after");
    assert_eq!(wired.hear(), "ok after");
}

#[test]
fn a_wire_that_comes_later_is_sealed_too() {
    let Some(mut wired) = Wired::new() else {
        return;
    };
    let mut seal = wired.seal();
    let beyond = Netns::isolated().unwrap();
    let _inhabitant = Agent::start(&wired.sandbox.sibling("inhabitant"), &beyond);
    run(
        &wired.sandbox.netns,
        &format!(
            "link add near1 type veth peer name far1 netns {}",
            path(&beyond)
        ),
    );
    seal.follow(wired.sandbox.programs(), &wired.sandbox.netns)
        .unwrap();
    assert_eq!(seal.sealed(), Sealed { far: 2, own: 0 });
    // What is no wire is sealed on the only side it has.
    run(&wired.sandbox.netns, "link add lonely type bridge");
    seal.follow(wired.sandbox.programs(), &wired.sandbox.netns)
        .unwrap();
    assert_eq!(seal.sealed(), Sealed { far: 2, own: 1 });
    run(&wired.beyond, "link delete far");
    seal.follow(wired.sandbox.programs(), &wired.sandbox.netns)
        .unwrap();
    assert_eq!(seal.sealed(), Sealed { far: 1, own: 1 });
    wired.ask_hearer("close");
}

#[test]
fn the_far_side_is_found_where_nobody_but_others_live() {
    // The machine beyond is neither ours nor the first process's: every wire of these tests is such a one.
    let Some(wired) = Wired::new() else {
        return;
    };
    assert_ne!(wired.beyond.cookie(), Netns::current().unwrap().cookie());
    assert_eq!(wired.seal().sealed(), Sealed { far: 1, own: 0 });
}

fn wire(near: &Netns, far: &Netns) {
    run(
        near,
        &format!("link add near type veth peer name far netns {}", path(far)),
    );
    run(near, &format!("addr add {NEAR}/24 dev near"));
    run(near, "link set near up");
    let (far_ip, _) = FAR.split_once(':').unwrap();
    run(far, &format!("addr add {far_ip}/24 dev far"));
    run(far, "link set far up");
}

fn path(netns: &Netns) -> String {
    let fd = netns.as_fd().as_raw_fd();
    format!("/proc/{}/fd/{fd}", std::process::id())
}

fn run(netns: &Netns, arguments: &str) {
    let mut command = Command::new("nsenter");
    command.arg(format!("--net={}", path(netns))).arg("ip");
    let output = command.args(arguments.split(' ')).output().unwrap();
    assert!(output.status.success(), "ip {arguments}: {output:?}");
}

//! The harness itself: what the end-to-end tests take for granted must be shown somewhere.

use std::net::{Ipv6Addr, SocketAddr};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use enforcer_tests::cgroup::Cgroup;
use enforcer_tests::namespace::Namespace;
use enforcer_tests::probe::{Attempt, Connected};
use enforcer_tests::process::{Finished, Process};
use enforcer_tests::world::World;
use serde::de::DeserializeOwned;

const PATIENCE: Duration = Duration::from_secs(30);

#[expect(clippy::print_stdout, reason = "a skipped test says why")]
fn is_root() -> bool {
    let is_root = rustix::process::geteuid().is_root();
    if !is_root {
        println!("skipped: not root");
    }
    is_root
}

fn probe(namespace: &Namespace, arguments: &[&str]) -> Finished {
    let mut command = Command::new(env!("CARGO_BIN_EXE_probe"));
    let process = Process::start(command.args(arguments), Some(namespace)).expect("a probe");
    process.finish(PATIENCE).expect("an end")
}

fn told<T: DeserializeOwned>(finished: &Finished) -> T {
    serde_json::from_str(&finished.stdout).unwrap_or_else(|_| panic!("{finished:?}"))
}

#[test]
fn every_address_of_the_world_exists_and_is_watched() {
    if !is_root() {
        return;
    }
    let host = Arc::new(Namespace::new().expect("a namespace"));
    let world = World::new(Arc::clone(&host)).expect("a world");
    assert_eq!(world.capture().expect("a capture").packets, []);

    let anywhere: SocketAddr = ([203, 0, 113, 77], 4444).into();
    let connected: Connected = told(&probe(&host, &["connect", &anywhere.to_string()]));
    assert_eq!(connected.peer, Some(anywhere));
    let packets = world.capture().expect("a capture").packets;
    assert_eq!(packets[0].to_string(), "TCP to 203.0.113.77 port 4444");

    world.forget().expect("a capture");
    let six: SocketAddr = (Ipv6Addr::new(0x2001, 0xdb8, 9, 0, 0, 0, 0, 9), 443).into();
    let connected: Connected = told(&probe(&host, &["connect", &six.to_string()]));
    assert_eq!(connected.peer, Some(six));
    probe(&host, &["udp", "203.0.113.5:53"]);
    let packets = world.capture().expect("a capture").packets;
    let seen: Vec<String> = packets.iter().map(ToString::to_string).collect();
    assert!(seen.contains(&"TCP to 2001:db8:9::9 port 443".to_owned()));
    assert!(seen.contains(&"UDP to 203.0.113.5 port 53".to_owned()));
}

#[test]
fn every_way_out_is_one_when_nobody_stops_it() {
    if !is_root() {
        return;
    }
    let host = Arc::new(Namespace::new().expect("a namespace"));
    let world = World::new(Arc::clone(&host)).expect("a world");
    let finished = probe(&host, &["escape", "203.0.113.9:4444"]);
    for line in finished.stdout.lines() {
        let attempt: Attempt = serde_json::from_str(line).expect("an attempt");
        println!("{}: {}", attempt.way, attempt.outcome);
    }
    let packets = world.capture().expect("a capture").packets;
    assert!(packets.len() >= 8, "{packets:?}");
}

#[test]
fn a_cgroup_holds_whoever_joins_and_is_gone_afterwards() {
    if !is_root() {
        return;
    }
    let cgroup = Cgroup::new("enforcer-harness").expect("a cgroup");
    let path = cgroup.path().to_owned();
    let mut command = Command::new(env!("CARGO_BIN_EXE_probe"));
    command.arg("in").arg("--cgroup").arg(&path);
    command.args(["--", "cat", "/proc/self/cgroup", "-"]);
    command.stdin(std::process::Stdio::piped());
    let process = Process::start(&mut command, None).expect("a process");
    let name = path.file_name().expect("a name").to_string_lossy();
    let mut lines = std::iter::from_fn(|| process.line(PATIENCE).ok());
    assert!(lines.any(|line| line.starts_with("0::") && line.ends_with(&*name)));
    assert_eq!(cgroup.processes(), [process.id()]);
    drop(cgroup);
    assert!(!path.exists());
    assert_eq!(process.finish(PATIENCE).expect("an end").code(), 137);
}

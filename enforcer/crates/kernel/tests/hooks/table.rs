//! The tables of origins: nothing stays in them, and no agent can fill them for the others.

use std::time::Instant;

use aya::maps::{HashMap, Map, MapData};
use enforcer_common::{ABI, MAX_CONNECTIONS};
use enforcer_kernel::{Hook, Loopback, Reason};

use crate::agent::PATIENCE;
use crate::refuse::next;
use crate::sandbox::{Sandbox, block_on};

type Flows = HashMap<MapData, [u8; 32], [u8; 64]>;
type Workloads = HashMap<MapData, u64, [u8; 24]>;

/// `EPERM`.
const REFUSED: &str = "error 1";
/// What `FLOWS` holds.
const CAPACITY: u64 = 65_536;

fn map(sandbox: &Sandbox, name: &str) -> Map {
    let pin = sandbox.pins.join(format!("v{ABI}")).join(name);
    Map::from_map_data(MapData::from_pin(pin).unwrap()).unwrap()
}

/// How many connections are filed.
pub(crate) fn filed(sandbox: &Sandbox) -> usize {
    let flows = Flows::try_from(map(sandbox, "FLOWS")).unwrap();
    flows.keys().count()
}

/// How many connections the workload has, as the programs count them.
fn connections(sandbox: &Sandbox) -> u64 {
    let workloads = Workloads::try_from(map(sandbox, "WORKLOADS")).unwrap();
    let entry = workloads.get(&sandbox.id.0, 0).unwrap();
    u64::from_ne_bytes(entry[8..16].try_into().unwrap())
}

/// Returns once nothing is filed and counted: the kernel ends a closed connection a moment after the call that closed it.
fn wait_until_empty(sandbox: &Sandbox) {
    let started = Instant::now();
    while filed(sandbox) != 0 || connections(sandbox) != 0 {
        assert!(started.elapsed() < PATIENCE, "a record stays");
        std::thread::yield_now();
    }
}

#[test]
fn connections_that_nobody_accepted_leave_nothing() {
    let Some(sandbox) = Sandbox::new(Loopback::Exempt) else {
        return;
    };
    let mut agent = sandbox.agent();
    for (family, dst) in [
        (2, "192.0.2.1:443"),
        (10, "[2001:db8::1]:443"),
        (10, "[::ffff:192.0.2.1]:443"),
    ] {
        agent.ask(&format!("socket {family} 1 6"));
        assert!(agent.ask(&format!("connect {dst}")).starts_with("ok"));
        assert_eq!(filed(&sandbox), 1, "`{dst}`");
        agent.ask("close");
        wait_until_empty(&sandbox);
    }
    // Nor does a process that is killed.
    agent.ask("socket 2 1 6");
    agent.ask("connect 192.0.2.1:443");
    assert_eq!(filed(&sandbox), 1);
    drop(agent);
    wait_until_empty(&sandbox);
}

#[test]
fn an_origin_is_taken_once() {
    let Some(sandbox) = Sandbox::new(Loopback::Exempt) else {
        return;
    };
    let mut agent = sandbox.agent();
    agent.ask("socket 2 1 6");
    agent.ask("connect 192.0.2.1:443");
    let (_stream, client, origin) = sandbox.accept();
    assert!(origin.is_some());
    assert_eq!(sandbox.origin(client), None);
    assert_eq!(filed(&sandbox), 0);
}

#[test]
fn accepted_connections_are_counted_until_they_close() {
    let Some(sandbox) = Sandbox::new(Loopback::Exempt) else {
        return;
    };
    let mut agent = sandbox.agent();
    agent.ask("socket 2 1 6");
    agent.ask("connect 192.0.2.1:443");
    let (stream, _, _) = sandbox.accept();
    assert_eq!((filed(&sandbox), connections(&sandbox)), (0, 1));
    drop(stream);
    agent.ask("close");
    wait_until_empty(&sandbox);
}

#[test]
fn a_workload_has_its_share_of_connections_and_no_more() {
    let Some(sandbox) = Sandbox::new(Loopback::Exempt) else {
        return;
    };
    let mut entry = [0; 24];
    entry[8..16].copy_from_slice(&(MAX_CONNECTIONS - 1).to_ne_bytes());
    let mut workloads = Workloads::try_from(map(&sandbox, "WORKLOADS")).unwrap();
    workloads.insert(sandbox.id.0, entry, 0).unwrap();
    let (mut last, mut late) = (sandbox.agent(), sandbox.agent());
    last.ask("socket 2 1 6");
    assert!(last.ask("connect 192.0.2.1:443").starts_with("ok"));
    late.ask("socket 2 1 6");
    block_on(async {
        let mut events = sandbox.programs().events().unwrap();
        assert_eq!(late.ask("connect 192.0.2.1:443"), REFUSED);
        let refused = next(&mut events).await;
        assert_eq!(
            (refused.hook, refused.reason),
            (Hook::Connect4, Reason::Full)
        );
    });
    drop(sandbox.accept());
    last.ask("close");
    let started = Instant::now();
    while !late.ask("connect 192.0.2.1:443").starts_with("ok") {
        assert!(
            started.elapsed() < PATIENCE,
            "a closed connection still counts"
        );
    }
}

#[test]
fn a_full_table_means_no_record_and_says_so() {
    let Some(sandbox) = Sandbox::new(Loopback::Exempt) else {
        return;
    };
    let mut flows = Flows::try_from(map(&sandbox, "FLOWS")).unwrap();
    for number in 0..CAPACITY {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&number.to_ne_bytes());
        flows.insert(key, [0; 64], 0).unwrap();
    }
    let mut agent = sandbox.agent();
    agent.ask("socket 2 1 6");
    block_on(async {
        let mut events = sandbox.programs().events().unwrap();
        // It reaches the listener, which has no record of it and must close it.
        assert!(agent.ask("connect 192.0.2.1:443").starts_with("ok"));
        let (_stream, _, origin) = sandbox.accept();
        assert_eq!(origin, None);
        let refused = next(&mut events).await;
        assert_eq!(
            (refused.hook, refused.reason),
            (Hook::SockOps, Reason::Full)
        );
        assert_eq!(refused.dst, Some("192.0.2.1:443".parse().unwrap()));
    });
}

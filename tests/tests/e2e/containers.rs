//! Real containers: found by what they are labelled, started by our runtime, and what becomes of them then.

use std::sync::Arc;

use enforcer_tests::docker::{BUSYBOX, Docker, Settings};
use enforcer_tests::sandbox::Sandbox;

use crate::stage::{OUTSIDE, binaries};

/// A sandbox with an engine in it; nothing, and the reason on standard output, where there can be none.
#[expect(clippy::print_stdout, reason = "a skipped test says why")]
fn sandbox() -> Option<Arc<Sandbox>> {
    let binaries = binaries()?;
    if let Some(reason) = Docker::missing() {
        println!("skipped: {reason}");
        return None;
    }
    Some(Arc::new(Sandbox::new(binaries).expect("a sandbox")))
}

#[test]
fn an_unlabelled_container_is_left_alone() {
    let Some(sandbox) = sandbox() else { return };
    let docker = Docker::start(&sandbox, &Settings::default()).unwrap();
    let knock = ["nc", "-w", "2", OUTSIDE, "443", "-e", "true"];
    let finished = docker.run(&[&[BUSYBOX], &knock[..]].concat()).unwrap();
    assert_eq!(finished.code(), 0, "{}", finished.stderr);
    let seen = sandbox.world().capture().unwrap().packets;
    let wanted = OUTSIDE.parse::<std::net::IpAddr>().unwrap();
    assert!(seen.iter().any(|packet| packet.destination == wanted));
}

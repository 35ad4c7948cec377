//! The trial of the programs finds them all to fire here, and leaves nothing behind.

use std::process::Command;

use enforcer_kernel::probe::{Lsm, Outcome, fire, lsm, strangers};

use crate::sandbox::{Sandbox, cgroup2_mount};

/// Names the variable that turns the test `actor_process` into the child that acts.
const ROLE: &str = "ENFORCER_TEST_ACTOR";

fn actor() -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "probe::actor_process", "--nocapture"])
        .env(ROLE, "1");
    command
}

/// Not a test: the child's own main, when the role is given. Its port comes last among the arguments, as a filter that fits
/// nothing; the runner runs what fits any.
#[test]
fn actor_process() {
    if std::env::var_os(ROLE).is_none() {
        return;
    }
    let port = std::env::args()
        .next_back()
        .and_then(|last| last.parse().ok());
    match port {
        Some(port) => enforcer_kernel::probe::act(port).unwrap(),
        None => drop(std::net::UdpSocket::bind("127.0.0.1:0").unwrap()),
    }
}

#[test]
fn every_program_fires_in_its_trial() {
    let Some(sandbox) = Sandbox::idle() else {
        return;
    };
    let cgroup = sandbox.sibling("trial");
    let pins = sandbox.pins.with_file_name("trial");
    let trials = fire(&pins, &cgroup, &mut actor()).unwrap();
    assert!(trials.len() >= 14, "{trials:?}");
    for trial in &trials {
        assert_eq!(trial.outcome, Outcome::Fired, "{}", trial.hook);
    }
    assert!(!pins.exists());
    assert_eq!(strangers(&cgroup).unwrap(), []);
}

#[test]
fn a_child_that_cannot_act_is_no_proof() {
    let Some(sandbox) = Sandbox::idle() else {
        return;
    };
    let cgroup = sandbox.sibling("trial");
    let pins = sandbox.pins.with_file_name("trial");
    let trials = fire(&pins, &cgroup, &mut Command::new("true")).unwrap();
    for trial in &trials {
        let silent = matches!(trial.outcome, Outcome::Silent(_));
        assert!(silent, "{trial:?}");
    }
}

#[test]
fn the_lsm_is_believed_only_if_it_fires() {
    let Some(sandbox) = Sandbox::idle() else {
        return;
    };
    let cgroup = sandbox.sibling("trial");
    match lsm(&cgroup, &mut actor()).unwrap() {
        Lsm::Fires => {}
        Lsm::Refused(why) => println!("skipped: the kernel takes none: {why}"),
        Lsm::Deaf => println!("skipped: it takes them and never runs them"),
    }
}

#[test]
fn programs_of_others_are_found() {
    let Some(sandbox) = Sandbox::new(enforcer_kernel::Loopback::Redirect) else {
        return;
    };
    assert_eq!(strangers(&sandbox.cgroup).unwrap(), []);
    assert!(strangers(&cgroup2_mount()).is_ok());
}

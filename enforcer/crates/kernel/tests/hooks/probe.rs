//! The trial of the programs finds them all to fire here, and leaves nothing behind.

use std::path::Path;
use std::process::Command;

use enforcer_kernel::probe::{Outcome, act, act_lsm, fire, strangers};

use crate::sandbox::{Sandbox, cgroup2_mount};

/// Names the variable that turns the test `actor_process` into the child that acts.
const ROLE: &str = "ENFORCER_TEST_ACTOR";

pub(crate) fn actor() -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "probe::actor_process", "--nocapture"])
        // With one thread, as on a machine of one core, the runner's own words and the first line would be one.
        .args(["--test-threads", "2"])
        .env(ROLE, "1");
    command
}

/// Not a test: the child's own main, when the role is given. Its port, or its path, comes last among the arguments, as a
/// filter that fits nothing; the runner runs what fits any.
#[test]
fn actor_process() {
    if std::env::var_os(ROLE).is_none() {
        return;
    }
    let last = std::env::args().next_back().unwrap();
    match last.parse() {
        Ok(port) => act(port).unwrap(),
        Err(_) => act_lsm(Path::new(&last)).unwrap(),
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
fn programs_of_others_are_found() {
    let Some(sandbox) = Sandbox::new(enforcer_kernel::Loopback::Redirect) else {
        return;
    };
    assert_eq!(strangers(&sandbox.cgroup).unwrap(), []);
    assert!(strangers(&cgroup2_mount()).is_ok());
}

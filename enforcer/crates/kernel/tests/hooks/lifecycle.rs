//! Pins outlive the daemon, a successor adopts them, and nothing is left when all is released.

use std::fs;
use std::path::Path;

use enforcer_flow::CgroupId;
use enforcer_kernel::{KernelError, Loopback, Netns, Programs, cgroup_id, prune};

use crate::sandbox::{Sandbox, cgroup2_mount};
use crate::table::filed;

/// `EPERM`, from a hook.
const REFUSED: &str = "error 1";
/// `ENETUNREACH`: what a namespace with nothing but loopback says of itself.
const FREE: &str = "error 101";

#[test]
fn pins_go_on_enforcing_and_a_successor_adopts_them() {
    let Some(mut sandbox) = Sandbox::new(Loopback::Exempt) else {
        return;
    };
    let (mut early, mut late) = (sandbox.agent(), sandbox.agent());
    drop(sandbox.programs.take());

    // The daemon is gone: nothing gets out, and what is asked is kept for the successor.
    early.ask("socket 2 2 17");
    assert_eq!(early.ask("sendto 192.0.2.1:443 x"), REFUSED);
    early.ask("socket 2 1 6");
    assert!(early.ask("connect 192.0.2.1:443").starts_with("ok"));

    let successor = Programs::load(&sandbox.pins).unwrap();
    assert_eq!(successor.attached(), [sandbox.id]);
    sandbox.programs = Some(successor);
    // A listener of the dead is not served on: the port may be anyone's by now.
    late.ask("socket 2 1 6");
    assert_eq!(late.ask("connect 192.0.2.1:443"), REFUSED);
    let ports = sandbox.listeners.ports(Loopback::Exempt).unwrap();
    sandbox
        .programs()
        .serve(sandbox.netns.cookie(), ports)
        .unwrap();
    let (_stream, _, origin) = sandbox.accept();
    assert_eq!(origin.unwrap().dst.to_string(), "192.0.2.1:443");

    // Its own programs take the place of the old, with the same maps.
    sandbox
        .programs()
        .attach(&sandbox.cgroup, sandbox.id)
        .unwrap();
    assert_eq!(early.ask("peer"), "ok 192.0.2.1:443");
    late.ask("socket 2 1 6");
    late.ask("connect 192.0.2.2:443");
    let (_stream, _, origin) = sandbox.accept();
    assert_eq!(origin.unwrap().dst.to_string(), "192.0.2.2:443");
}

#[test]
fn a_dead_listener_refuses() {
    let Some(sandbox) = Sandbox::new(Loopback::Exempt) else {
        return;
    };
    let gone = sandbox.netns.listen().unwrap();
    let ports = gone.ports(Loopback::Exempt).unwrap();
    drop(gone);
    sandbox
        .programs()
        .serve(sandbox.netns.cookie(), ports)
        .unwrap();
    let mut agent = sandbox.agent();
    agent.ask("socket 2 1 6");
    assert_eq!(agent.ask("connect 192.0.2.1:443"), "error 111");
    assert_eq!(filed(&sandbox), 0);
}

#[test]
fn a_namespace_that_is_no_longer_served_is_refused() {
    let Some(sandbox) = Sandbox::new(Loopback::Exempt) else {
        return;
    };
    sandbox.programs().unserve(sandbox.netns.cookie()).unwrap();
    let mut agent = sandbox.agent();
    agent.ask("socket 2 1 6");
    assert_eq!(agent.ask("connect 192.0.2.1:443"), REFUSED);
}

#[test]
fn release_sets_free_and_removes_every_pin() {
    let Some(mut sandbox) = Sandbox::new(Loopback::Exempt) else {
        return;
    };
    let mut agent = sandbox.agent();
    agent.ask("socket 2 2 17");
    assert_eq!(agent.ask("sendto 192.0.2.1:443 x"), REFUSED);
    sandbox.programs.take().unwrap().release().unwrap();
    assert!(!sandbox.pins.exists());
    assert_eq!(agent.ask("sendto 192.0.2.1:443 x"), FREE);
}

#[test]
fn detach_forgets_what_was_filed() {
    let Some(sandbox) = Sandbox::new(Loopback::Exempt) else {
        return;
    };
    let mut agent = sandbox.agent();
    agent.ask("socket 2 1 6");
    agent.ask("connect 192.0.2.1:443");
    assert_eq!(filed(&sandbox), 1);
    sandbox.programs().detach(sandbox.id).unwrap();
    assert_eq!(filed(&sandbox), 0);
}

#[test]
fn a_successor_forgets_what_is_of_no_use() {
    let Some(mut sandbox) = Sandbox::new(Loopback::Exempt) else {
        return;
    };
    let other = sandbox.sibling("other");
    let id = cgroup_id(&other).unwrap();
    sandbox.programs().attach(&other, id).unwrap();
    drop(sandbox.programs.take());
    fs::remove_dir(&sandbox.cgroup).unwrap();
    let old = sandbox.pins.join("v0");
    fs::create_dir(&old).unwrap();
    let successor = Programs::load(&sandbox.pins).unwrap();
    assert_eq!(successor.attached(), [id]);
    assert!(!old.exists(), "maps in another layout stay");
}

#[test]
fn a_failed_load_leaves_no_pins() {
    if !crate::sandbox::is_root() {
        println!("skipped: there is no user with fewer rights to become");
        return;
    }
    // A process of nobody's runs the same test binary.
    let pins =
        Path::new("/sys/fs/bpf").join(format!("enforcer-test-nobody-{}", std::process::id()));
    let answer = crate::agent::load_as_nobody(&pins);
    assert_eq!(answer, "not permitted");
    assert!(!pins.exists());
}

#[test]
fn detach_sets_one_cgroup_free() {
    let Some(sandbox) = Sandbox::new(Loopback::Exempt) else {
        return;
    };
    let other = sandbox.sibling("other");
    let id = cgroup_id(&other).unwrap();
    sandbox.programs().attach(&other, id).unwrap();
    let mut attached = sandbox.programs().attached();
    attached.sort();
    let mut expected = [sandbox.id, id];
    expected.sort();
    assert_eq!(attached, expected);
    sandbox.programs().detach(sandbox.id).unwrap();
    assert_eq!(sandbox.programs().attached(), [id]);
    let mut agent = sandbox.agent();
    agent.ask("socket 2 2 17");
    assert_eq!(agent.ask("sendto 192.0.2.1:443 x"), FREE);
    let mut agent = sandbox.agent_in(&other);
    agent.ask("socket 2 2 17");
    assert_eq!(agent.ask("sendto 192.0.2.1:443 x"), REFUSED);
}

#[test]
fn the_nearest_label_counts_and_both_enforce() {
    let Some(sandbox) = Sandbox::new(Loopback::Exempt) else {
        return;
    };
    let child = sandbox.cgroup.join("child");
    fs::create_dir(&child).unwrap();
    let id = cgroup_id(&child).unwrap();
    sandbox.programs().attach(&child, id).unwrap();
    let mut agent = sandbox.agent_in(&child);
    agent.ask("socket 2 1 6");
    assert!(agent.ask("connect 192.0.2.1:443").starts_with("ok"));
    let (_stream, _, origin) = sandbox.accept();
    let origin = origin.unwrap();
    assert_eq!(origin.dst.to_string(), "192.0.2.1:443");
    assert_eq!(origin.cgroup, id);
}

#[test]
fn a_live_instance_keeps_its_place() {
    let Some(sandbox) = Sandbox::new(Loopback::Exempt) else {
        return;
    };
    assert!(matches!(
        Programs::load(&sandbox.pins),
        Err(KernelError::Busy { .. })
    ));
}

#[test]
fn what_must_not_be_enforced_is_not() {
    let Some(sandbox) = Sandbox::idle() else {
        return;
    };
    let programs = sandbox.programs();
    let root = cgroup2_mount();
    let id = cgroup_id(&root).unwrap();
    let answer = programs.attach(&root, id);
    assert!(
        matches!(answer, Err(KernelError::Root { .. })),
        "{answer:?}"
    );
    let answer = programs.attach(&sandbox.cgroup, CgroupId(sandbox.id.0 + 1));
    assert!(
        matches!(answer, Err(KernelError::Cgroup { .. })),
        "{answer:?}"
    );
    let answer = programs.attach(&sandbox.pins, sandbox.id);
    assert!(
        matches!(answer, Err(KernelError::NotCgroup2 { .. })),
        "{answer:?}"
    );
    assert!(programs.attached().is_empty());
}

#[test]
fn an_enforcer_does_not_enforce_itself() {
    let Some(sandbox) = Sandbox::idle() else {
        return;
    };
    let child = sandbox.cgroup.join("child");
    fs::create_dir(&child).unwrap();
    let mut enforcer = sandbox.agent_in(&child);
    let pins = sandbox.pins.with_file_name("own");
    let mut enforce = |cgroup: &Path| {
        let order = format!("enforce {} {}", pins.display(), cgroup.display());
        enforcer.ask(&order)
    };
    for above in [&child, &sandbox.cgroup] {
        let answer = enforce(above);
        assert!(answer.ends_with("holds the enforcer itself"), "{answer}");
    }
    assert_eq!(enforce(&sandbox.sibling("other")), "ok");
}

#[test]
fn a_place_outside_a_bpf_file_system_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let answer = Programs::load(&folder.path().join("pins")).map(drop);
    assert!(
        matches!(answer, Err(KernelError::Pins { .. })),
        "{answer:?}"
    );
}

#[test]
fn dead_instances_are_cleared_away_once_their_cgroups_are_empty() {
    let Some(mut sandbox) = Sandbox::below("run") else {
        return;
    };
    sandbox.enforce(Loopback::Exempt);
    let root = sandbox.pins.parent().unwrap().to_path_buf();
    assert_eq!(prune(&root).unwrap(), 0, "it is alive");
    let agent = sandbox.agent();
    drop(sandbox.programs.take());
    assert_eq!(prune(&root).unwrap(), 0, "its agent is alive");
    drop(agent);
    assert_eq!(prune(&root).unwrap(), 1);
    assert!(!sandbox.pins.exists());
    assert_eq!(prune(&root.join("nowhere")).unwrap(), 0);
}

#[test]
fn namespaces_have_cookies_of_their_own() {
    let (Ok(one), Ok(two)) = (Netns::isolated(), Netns::isolated()) else {
        println!("skipped: a network namespace cannot be made here");
        return;
    };
    let here = Netns::current().unwrap();
    assert_eq!(
        here.cookie(),
        Netns::of_process(std::process::id()).unwrap().cookie()
    );
    assert!(one.cookie() != two.cookie() && one.cookie() != here.cookie());
}

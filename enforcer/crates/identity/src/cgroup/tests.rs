use std::os::unix::process::ExitStatusExt;

use super::*;
use crate::sandbox::{Sandbox, sleeper};

const PATIENCE: Duration = Duration::from_secs(10);

#[test]
fn containment_follows_whole_names() {
    let Some(sandbox) = Sandbox::new("contain") else {
        return;
    };
    let Sandbox { hierarchy, cgroup } = &sandbox;
    let root = hierarchy.open(hierarchy.mount()).unwrap();
    let (a, ab, inner) = (
        sandbox.child("a"),
        sandbox.child("ab"),
        sandbox.child("a/x"),
    );
    assert!(root.contains(&a) && cgroup.contains(&a) && a.contains(&a) && a.contains(&inner));
    assert!(!a.contains(&ab) && !inner.contains(&a) && !a.contains(cgroup));
}

#[test]
fn everything_below_is_listed_killed_and_removed() {
    let Some(sandbox) = Sandbox::new("kill") else {
        return;
    };
    let top = sandbox.child("top");
    let leaves = [sandbox.child("top/a"), sandbox.child("top/b/c")];
    let mut children = leaves.each_ref().map(sleeper);
    assert!(top.is_populated().unwrap());
    let mut pids = top.processes().unwrap();
    pids.sort_unstable();
    let mut expected = children.each_ref().map(std::process::Child::id).to_vec();
    expected.sort_unstable();
    assert_eq!(pids, expected);

    top.kill_all().unwrap();
    top.wait_empty(PATIENCE).unwrap();
    for child in &mut children {
        assert_eq!(child.wait().unwrap().signal(), Some(9));
    }
    assert_eq!(top.processes().unwrap(), Vec::<u32>::new());
    top.remove(PATIENCE).unwrap();
    assert!(!top.dir().exists() && !top.exists());
    top.remove(PATIENCE).unwrap();
}

#[test]
fn the_old_way_of_killing_ends_all_too() {
    let Some(sandbox) = Sandbox::new("each") else {
        return;
    };
    let leaf = sandbox.child("leaf");
    let mut children = [sleeper(&leaf), sleeper(&leaf)];
    leaf.kill_each().unwrap();
    for child in &mut children {
        assert_eq!(child.wait().unwrap().signal(), Some(9));
    }
}

#[test]
fn living_processes_are_not_swept_away() {
    let Some(sandbox) = Sandbox::new("busy") else {
        return;
    };
    let leaf = sandbox.child("leaf");
    let mut child = sleeper(&leaf);
    let removed = leaf.remove(Duration::ZERO);
    assert!(
        matches!(removed, Err(CgroupError::Busy { .. })),
        "{removed:?}"
    );
    let waited = leaf.wait_empty(Duration::from_millis(1));
    assert!(
        matches!(waited, Err(CgroupError::Busy { .. })),
        "{waited:?}"
    );
    assert!(leaf.exists() && child.try_wait().unwrap().is_none());
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn another_cgroup_of_the_same_name_is_left_alone() {
    let Some(sandbox) = Sandbox::new("twice") else {
        return;
    };
    let first = sandbox.child("leaf");
    first.remove(PATIENCE).unwrap();
    let second = sandbox.child("leaf");
    assert_ne!(first.id(), second.id());
    assert!(first.kill_all().is_err() && first.processes().is_err());
    first.remove(PATIENCE).unwrap();
    assert!(second.exists() && !first.exists());
}

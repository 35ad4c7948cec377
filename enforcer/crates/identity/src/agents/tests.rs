use super::*;
use crate::Label;
use crate::sandbox::{Sandbox, sleeper};

#[test]
fn a_path_is_below_whole_names_only() {
    let rows = [
        ("/a", "/a", true),
        ("/a", "/a/b/c", true),
        ("/a", "/ab", false),
        ("/a/b", "/a", false),
        ("/", "/a", true),
        (RUNS, "/enforcer/run-1", true),
        (RUNS, "/enforcer.slice", false),
    ];
    for (above, path, expected) in rows {
        assert_eq!(is_below(above, path), expected, "{path} below {above}");
    }
}

#[test]
fn a_process_in_or_below_a_served_cgroup_is_an_agent() {
    let Some(sandbox) = Sandbox::new("agents") else {
        return;
    };
    let (served, below) = (sandbox.child("served"), sandbox.child("served/below"));
    let beside = sandbox.child("served-not");
    let workloads = Arc::new(Workloads::new(4));
    let workload = workloads
        .insert(&served, &Label::default(), &Arc::default())
        .unwrap();
    let agents = Agents::new(sandbox.hierarchy.clone(), workloads.clone());
    for (cgroup, agent) in [(&served, true), (&below, true), (&beside, false)] {
        let mut child = sleeper(cgroup);
        assert_eq!(agents.include(child.id()), agent, "{}", cgroup.path());
        let found = agents.workload_of_process(child.id()).unwrap();
        assert_eq!(found, agent.then(|| workload.clone()), "{}", cgroup.path());
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert!(!agents.include(std::process::id()));
}

#[test]
fn whoever_cannot_be_placed_is_taken_for_an_agent() {
    let Some(sandbox) = Sandbox::new("nobody") else {
        return;
    };
    let agents = Agents::new(sandbox.hierarchy.clone(), Arc::new(Workloads::new(1)));
    assert!(agents.include(0));
    assert!(agents.include(u32::MAX));
}

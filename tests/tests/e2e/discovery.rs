//! Workloads that nobody labelled by hand: found by what the configuration says of cgroups, and by what Kubernetes' side of a
//! container runtime says of pods.

#![expect(
    clippy::unwrap_used,
    reason = "a test's own hands may fail like a test"
)]

use std::collections::HashMap;
use std::process::Command;

use enforcer_tests::cgroup::Cgroup;
use enforcer_tests::cri::{Runtime, Served};
use enforcer_tests::process::Process;

use crate::stage::{POLICY, Stage};

/// A process in a cgroup, doing nothing.
fn sleeper(stage: &Stage, cgroup: &Cgroup) -> Process {
    let mut command = Command::new(&stage.sandbox.binaries().probe);
    command.arg("in").arg("--cgroup").arg(cgroup.path());
    command.args(["--", "sleep", "1000"]);
    let started = Process::start(&mut command, Some(stage.sandbox.host())).unwrap();
    while !cgroup.processes().contains(&started.id()) {
        std::thread::yield_now();
    }
    started
}

#[test]
fn cgroups_that_the_configuration_names_are_captured_until_an_operator_releases_them() {
    let pattern = "workloads:\n  - cgroup: /enforcer-pattern-*\n    policy: test\n    principal: ada\n    groups: [support, eu]";
    let Some(stage) = Stage::with(POLICY, |setup| setup.and(pattern)) else {
        return;
    };
    let cgroup = Cgroup::new("enforcer-pattern").unwrap();
    let path = cgroup.path().display().to_string();
    let name = cgroup
        .path()
        .file_name()
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned();
    let attached = stage.recorded("workload_attached", |entry| {
        entry["workload"]["name"] == *name
    });
    assert_eq!(attached["via"], "pattern");
    assert_eq!(attached["workload"]["policy"], "test");
    assert_eq!(attached["workload"]["principal"], "ada");
    let groups = &attached["workload"]["groups"];
    assert_eq!(groups, &serde_json::json!(["support", "eu"]));

    let unlabelled = stage.daemon.cli(&["unlabel", &path]).unwrap();
    assert_eq!(unlabelled.code(), 0, "{}", unlabelled.stderr);
    stage.recorded("workload_detached", |entry| {
        entry["workload"]["name"] == *name
    });
    let rescanned = stage.daemon.cli(&["status", "--json"]).unwrap();
    assert!(!rescanned.stdout.contains(&name), "{}", rescanned.stdout);
}

#[test]
fn containers_of_labelled_pods_are_captured_with_what_their_pod_is() {
    let cri = "containers:\n  cri: [../cri.sock]";
    let Some(stage) = Stage::with(POLICY, |setup| setup.and(cri)) else {
        return;
    };
    let (ours, other) = (Cgroup::new("pod-a").unwrap(), Cgroup::new("pod-b").unwrap());
    let (inside, _other) = (sleeper(&stage, &ours), sleeper(&stage, &other));
    let id = ours
        .path()
        .file_name()
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned();
    let served = Served {
        id: id.clone(),
        pid: inside.id(),
        annotations: HashMap::from([
            ("enforcer.policy".to_owned(), "test".to_owned()),
            ("enforcer.principal".to_owned(), "ada".to_owned()),
            ("enforcer.groups".to_owned(), "support, eu".to_owned()),
        ]),
        labels: HashMap::from([("app".to_owned(), "agent".to_owned())]),
    };
    let _runtime = Runtime::start(&stage.sandbox.folder().join("cri.sock"), served).unwrap();
    let attached = stage.recorded("workload_attached", |entry| entry["via"] == "cri");
    assert_eq!(attached["workload"]["policy"], "test");
    assert_eq!(attached["workload"]["name"], "main.agent-0.agents");
    assert_eq!(attached["container"]["id"], *id);
    assert_eq!(attached["container"]["image"], "registry.example/agent:1");
    assert_eq!(attached["pod"]["namespace"], "agents");
    assert_eq!(attached["pod"]["name"], "agent-0");
    assert_eq!(attached["pod"]["uid"], "7d9f");
    assert_eq!(attached["pod"]["labels"][0], "app=agent");
    assert_eq!(attached["workload"]["principal"], "ada");
    assert_eq!(attached["workload"]["groups"][1], "eu");
}

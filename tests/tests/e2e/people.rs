//! For whom a workload works, as its operator says: rules and limits about persons and groups.

#![expect(
    clippy::unwrap_used,
    reason = "a test's own hands may fail like a test"
)]

use crate::run::Bare;
use crate::stage::Stage;

const POLICY: &str = r#"
version: 1
name: people
rules:
  - id: support
    effect: allow
    match: { host: api.openai.com, path: /test/echo, group: support }
    limit: { requests: 2, per: 1h, by: principal }
  - id: not-for-mallory
    effect: deny
    reason: not for this one
    match: { host: api.openai.com, principal: mallory }
"#;

const URL: &str = "https://api.openai.com/test/echo";

#[test]
fn rules_and_limits_know_for_whom_a_workload_works() {
    let Some(stage) = Stage::with(POLICY, |setup| setup) else {
        return;
    };
    let status = |stage: &Stage| stage.curl(&[URL]).status;
    // Nobody was named yet, so nobody is in a group.
    assert_eq!(status(&stage), 403);
    label(
        &stage,
        &["--principal", "ada", "--group", "support", "--group", "eu"],
    );
    assert_eq!(
        [status(&stage), status(&stage), status(&stage)],
        [200, 200, 429]
    );
    let granted = stage.recorded("exchange_granted", |entry| {
        entry["workload"]["principal"] == "ada"
    });
    let groups = serde_json::json!(["support", "eu"]);
    assert_eq!(granted["workload"]["groups"], groups);
    // Another one has a budget of his own, and somebody in another group none.
    label(&stage, &["--principal", "bob", "--group", "support"]);
    assert_eq!(status(&stage), 200);
    label(&stage, &["--principal", "eve", "--group", "sales"]);
    assert_eq!(status(&stage), 403);
    label(&stage, &["--principal", "mallory", "--group", "support"]);
    assert_eq!(status(&stage), 403);
    stage.recorded("exchange_denied", |entry| {
        entry["rule"] == "people/not-for-mallory"
    });
    label(&stage, &[]);
    assert_eq!(status(&stage), 403);
    let told = stage.ledger().text();
    assert!(told.contains("* for ada of support, eu"), "{told}");
}

#[test]
fn groups_without_a_principal_are_a_mistake() {
    let Some(stage) = Stage::new() else { return };
    let cgroup = stage.cgroup.path().display().to_string();
    for wrong in [
        &["--group", "support"][..],
        &["--principal", ""],
        &["--principal", "a,b"],
    ] {
        let arguments = [&["label", &cgroup], wrong].concat();
        let finished = stage.daemon.cli(&arguments).unwrap();
        assert_ne!(finished.code(), 0, "{wrong:?}");
    }
}

#[test]
fn a_run_is_for_whom_it_says() {
    let Some(bare) = Bare::new() else { return };
    std::fs::write(bare.places.policies.join("test.yaml"), POLICY).unwrap();
    let curl = [
        "curl",
        "-sS",
        "-o",
        "/dev/null",
        "-w",
        "%{http_code}",
        "--max-time",
        "15",
        URL,
    ];
    for (options, expected) in [
        (&["--principal", "ada", "--group", "support"][..], "200"),
        (&["--principal", "ada"], "403"),
        (&[], "403"),
    ] {
        let finished = bare.run_with(options, &curl);
        assert_eq!(finished.stdout.trim(), expected, "{finished:?}");
    }
}

/// Labels the stage's cgroup anew.
fn label(stage: &Stage, for_whom: &[&str]) {
    let cgroup = stage.cgroup.path().display().to_string();
    let arguments = [&["label", &cgroup], for_whom].concat();
    let finished = stage.daemon.cli(&arguments).unwrap();
    assert_eq!(finished.code(), 0, "{}", finished.stderr);
}

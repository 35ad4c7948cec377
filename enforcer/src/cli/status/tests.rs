use enforcer_control::AuthorityView;

use super::*;

fn workload(name: &str, policy: Option<&str>) -> WorkloadView {
    WorkloadView {
        name: name.to_owned(),
        cgroup: format!("/agents/{name}"),
        cgroup_id: 7,
        policy: policy.map(str::to_owned),
        container: None,
        principal: None,
        stance: "enforce".to_owned(),
        flows_open: 1,
        flows_total: 20,
    }
}

fn status() -> Status {
    Status {
        version: "1.2.3".to_owned(),
        pid: 99,
        uptime_seconds: 3725,
        policy: PolicyView {
            source: "/etc/enforcer/policies".into(),
            digest: "5e0b".to_owned(),
            rules: 12,
            problem: None,
        },
        workloads: vec![workload("a", None), workload("research", Some("openai"))],
        ledger: LedgerView {
            path: "/var/lib/enforcer/audit.jsonl".into(),
            sequence: 8,
            head: "ab01".to_owned(),
            problem: None,
        },
        authority: AuthorityView {
            fingerprint: "AB:CD".to_owned(),
            certificate: "/var/lib/enforcer/ca/ca.crt".into(),
            not_after: 2_000_000_000,
            ..AuthorityView::default()
        },
        dangers: Vec::new(),
        quarantines: Vec::new(),
        watchdog: None,
        trust: Vec::new(),
    }
}

fn check(status: &Status, expected: &str) {
    let mut out = Vec::new();
    write(&mut out, status).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

#[test]
fn a_healthy_daemon_is_shown_on_a_screen() {
    check(
        &status(),
        "enforcer   1.2.3, process 99, up 1h 2m 5s
policy     12 rules from /etc/enforcer/policies
           5e0b
ledger     8 entries in /var/lib/enforcer/audit.jsonl
           ab01
authority  SHA-256 AB:CD
           /var/lib/enforcer/ca/ca.crt, until 2033-05-18T03:33:20Z
workloads  2
  a         policy *       flows 1 open, 20 in all  /agents/a
  research  policy openai  flows 1 open, 20 in all  /agents/research
",
    );
}

#[test]
fn what_is_wrong_is_said() {
    let mut status = status();
    status.workloads.clear();
    status.policy.problem = Some("a.yaml:3:1: unknown key".to_owned());
    status.ledger.problem = Some("no space left on device".to_owned());
    status.dangers.push("something.danger".to_owned());
    check(
        &status,
        "enforcer   1.2.3, process 99, up 1h 2m 5s
policy     12 rules from /etc/enforcer/policies
           5e0b
           the newest files are not in force: a.yaml:3:1: unknown key
ledger     8 entries in /var/lib/enforcer/audit.jsonl
           ab01
           nothing is granted, for nothing can be written: no space left on device
authority  SHA-256 AB:CD
           /var/lib/enforcer/ca/ca.crt, until 2033-05-18T03:33:20Z
danger     something.danger
workloads  none; `enforcer label CGROUP_PATH` adds one
",
    );
}

#[test]
fn without_a_daemon_the_exit_code_is_three() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("enforcer.yaml");
    std::fs::write(&config, "runtime_dir: run\n").unwrap();
    let args = StatusArgs {
        daemon: Address::of(config),
        json: false,
    };
    let code = run(args).unwrap();
    assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::from(3)));
}

//! The gate over a real ledger and a real policy.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should say where"
)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use enforcer_audit::{Config, Ledger};
use enforcer_flow::{
    CgroupId, ClientAddr, Destination, Host, OriginalDst, Process, Protocol, Side, Workload,
};
use enforcer_gate::{Ask, Fault, Flow, Gate, Granted};
use enforcer_policy::{PolicySet, Request, Source};
use serde_json::Value;

const POLICY: &str = "
version: 1
name: test
rules:
  - id: api
    effect: allow
    match: { host: api.example, path: /v1/** }
  - id: no-files
    effect: deny
    reason: files stay here
    match: { host: api.example, path: /v1/files }
";

struct Door {
    gate: Arc<Gate>,
    flow: Arc<Flow>,
    path: PathBuf,
    _dir: tempfile::TempDir,
}

fn door() -> Door {
    door_for(enforcer_flow::Stance::Enforce)
}

fn door_for(stance: enforcer_flow::Stance) -> Door {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.jsonl");
    let ledger = Arc::new(Ledger::open(Config::at(&path)).unwrap());
    let source = Source {
        name: "test.yaml",
        text: POLICY,
    };
    let (set, _) = PolicySet::compile(&[source]).unwrap();
    let gate = Arc::new(Gate::new(Arc::new(ArcSwap::from_pointee(set)), ledger));
    let workload = Workload {
        name: "agent".into(),
        policy: None,
        cgroup: CgroupId(7),
        path: "/agent".into(),
        attributes: Default::default(),
        stance,
    };
    let flow = Flow::open(
        Arc::clone(&gate),
        Arc::new(workload),
        Process::default(),
        ClientAddr::new("127.0.0.1:40000".parse().unwrap()),
        OriginalDst::new("192.0.2.1:443".parse().unwrap()),
    );
    Door {
        gate,
        flow,
        path,
        _dir: dir,
    }
}

fn destination() -> Destination {
    Destination {
        host: Host::parse("api.example").unwrap(),
        port: 443,
    }
}

fn ask<'a>(destination: &'a Destination, path: &'a str) -> Ask<'a> {
    Ask {
        protocol: Protocol::Https,
        destination,
        request: Some(Request::new("POST", path)),
        shown_path: None,
        estimate: None,
        credentials: &[],
    }
}

fn entries(path: &Path) -> Vec<Value> {
    std::fs::read_to_string(path)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn last(path: &Path, event: &str) -> Value {
    let found = entries(path).into_iter().rfind(|e| e["event"] == event);
    found.unwrap_or_else(|| panic!("no {event}"))
}

#[test]
fn evidence_before_egress() {
    let door = door();
    let destination = destination();
    let Granted {
        exchange, permit, ..
    } = door
        .gate
        .ask(&door.flow, ask(&destination, "/v1/chat"))
        .unwrap();
    // Read before anything else happens: no flush, no drop.
    let granted = last(&door.path, "exchange_granted");
    assert_eq!(granted["exchange"], exchange.id().to_string());
    assert_eq!(granted["rule"], "test/api");
    assert_eq!(granted["seq"], permit.receipt().sequence());
    assert!(permit.receipt().grants(exchange.id()));
}

#[test]
fn no_permit_without_a_receipt() {
    let door = door();
    let destination = destination();
    // Somebody cuts the ledger: what cannot be witnessed is refused, and not as a policy decision.
    let file = std::fs::OpenOptions::new()
        .write(true)
        .open(&door.path)
        .unwrap();
    file.set_len(10).unwrap();
    door.gate.ledger().flush().expect_err("the cut is seen");
    let refused = door.gate.ask(&door.flow, ask(&destination, "/v1/chat"));
    let refusal = refused.err().expect("no ledger, no permit");
    assert_eq!(
        (refusal.fault, refusal.cause),
        (Fault::Unavailable, "ledger_unavailable")
    );
}

#[test]
fn a_denial_is_recorded_and_quotes_the_rule_id_and_reason_only() {
    let door = door();
    let destination = destination();
    let refused = door.gate.ask(&door.flow, ask(&destination, "/v1/files"));
    let refusal = refused.err().expect("denied");
    assert_eq!((refusal.fault, refusal.cause), (Fault::Policy, "rule"));
    assert_eq!(
        refusal.public,
        format!(
            "POST api.example:443/v1/files is denied by rule test/no-files: files stay here (exchange {})",
            refusal.exchange
        )
    );
    door.gate.ledger().flush().unwrap();
    let denied = last(&door.path, "exchange_denied");
    assert_eq!(denied["exchange"], refusal.exchange.to_string());
    assert_eq!(denied["rule"], "test/no-files");
    assert_eq!(denied["cause"], "rule");
}

#[test]
fn what_no_rule_allows_is_denied() {
    let door = door();
    let destination = destination();
    let refused = door.gate.ask(&door.flow, ask(&destination, "/elsewhere"));
    assert_eq!(refused.err().map(|refusal| refusal.cause), Some("no_rule"));
}

#[test]
fn no_exchange_ends_without_evidence() {
    let door = door();
    let destination = destination();
    let granted = |path| {
        door.gate
            .ask(&door.flow, ask(&destination, path))
            .unwrap()
            .exchange
    };
    let finished = granted("/v1/a");
    let finished_id = finished.id().to_string();
    finished.meter().add_down(5);
    finished.finish();
    let dropped = granted("/v1/b");
    let dropped_id = dropped.id().to_string();
    drop(dropped);
    let mut broken = granted("/v1/c");
    broken.fault(Side::Upstream, "truncated");
    drop(broken);
    door.flow.fault(Side::Agent, "agent_gone");
    let Door {
        gate,
        flow,
        path,
        _dir,
    } = door;
    drop(flow);
    gate.ledger().flush().unwrap();
    let closed = last(&path, "exchange_closed");
    assert_eq!(
        (&closed["exchange"], &closed["bytes_down"]),
        (&finished_id.into(), &5.into())
    );
    let aborted: Vec<Value> = entries(&path)
        .into_iter()
        .filter(|entry| entry["event"] == "exchange_aborted")
        .collect();
    assert_eq!(aborted[0]["exchange"], dropped_id);
    assert_eq!(
        (&aborted[0]["side"], &aborted[0]["cause"]),
        (&"agent".into(), &"agent_gone".into())
    );
    assert_eq!(
        (&aborted[1]["side"], &aborted[1]["cause"]),
        (&"upstream".into(), &"truncated".into())
    );
    let ended = last(&path, "flow_aborted");
    assert_eq!(
        (&ended["cause"], &ended["bytes_down"]),
        (&"agent_gone".into(), &5.into())
    );
}

#[test]
fn a_flow_that_was_ended_is_granted_nothing() {
    let door = door();
    let destination = destination();
    let asked = ask(&destination, "/v1/chat");
    let exchange = door.gate.ask(&door.flow, asked).unwrap().exchange;
    assert_eq!(door.gate.end(CgroupId(8), "relabelled"), 0);
    assert_eq!(door.gate.end(CgroupId(7), "relabelled"), 1);
    let refusal = door.gate.ask(&door.flow, asked).err().unwrap();
    assert_eq!(refusal.cause, "relabelled");
    drop(exchange);
    drop(door.flow);
    door.gate.ledger().flush().unwrap();
    assert_eq!(last(&door.path, "exchange_denied")["cause"], "relabelled");
    for event in ["exchange_aborted", "flow_aborted"] {
        let ending = last(&door.path, event);
        assert_eq!(
            (&ending["side"], &ending["cause"]),
            (&"own".into(), &"relabelled".into())
        );
    }
}

#[test]
fn what_an_observed_workload_would_be_denied_is_let_out_with_evidence_first() {
    let door = door_for(enforcer_flow::Stance::Observe);
    let destination = destination();
    let Granted {
        exchange, permit, ..
    } = door
        .gate
        .ask(&door.flow, ask(&destination, "/v1/files"))
        .unwrap();
    let observed = last(&door.path, "exchange_observed");
    assert_eq!(observed["exchange"], exchange.id().to_string());
    assert_eq!(
        permit.receipt().sequence(),
        observed["seq"].as_u64().unwrap()
    );
    assert_eq!(observed["would"], "deny");
    assert_eq!(observed["workload"]["stance"], "observe");
    exchange.finish();
    // What is allowed is a grant like any other, and what contradicts itself goes on too.
    let allowed = door.gate.ask(&door.flow, ask(&destination, "/v1/chat"));
    assert!(allowed.is_ok());
    last(&door.path, "exchange_granted");
    let went_on = door.gate.object(
        &door.flow,
        ask(&destination, "/v1/chat"),
        "port_mismatch",
        "no",
    );
    assert!(went_on.is_ok());
    let observed = last(&door.path, "exchange_observed");
    assert_eq!(observed["cause"], "port_mismatch");
}

#[test]
fn enforced_nothing_is_let_out_by_being_observed() {
    let door = door();
    let destination = destination();
    let refused = door.gate.object(
        &door.flow,
        ask(&destination, "/v1/chat"),
        "port_mismatch",
        "no",
    );
    assert_eq!(refused.err().unwrap().cause, "port_mismatch");
    door.gate.spare(&door.flow, &destination.host);
    assert!(!door.gate.passes_unopened(&door.flow, &destination));
    let observed = entries(&door.path);
    assert!(
        observed
            .iter()
            .all(|entry| entry["event"] != "exchange_observed")
    );
}

#[test]
fn tls_that_observing_would_break_passes_unopened_the_next_time() {
    let door = door_for(enforcer_flow::Stance::Observe);
    let destination = destination();
    assert!(!door.gate.passes_unopened(&door.flow, &destination));
    door.gate.spare(&door.flow, &destination.host);
    assert!(door.gate.passes_unopened(&door.flow, &destination));
    door.gate.forget(door.flow.workload().cgroup);
    assert!(!door.gate.passes_unopened(&door.flow, &destination));
}

#[test]
fn a_quarantined_workload_is_granted_nothing() {
    let door = door_for(enforcer_flow::Stance::Quarantine);
    let destination = destination();
    let refused = door.gate.ask(&door.flow, ask(&destination, "/v1/chat"));
    assert_eq!(refused.err().unwrap().cause, "quarantined");
}

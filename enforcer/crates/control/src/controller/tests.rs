use std::sync::Arc;

use super::*;
use crate::{AuthorityView, LedgerView, PolicyView};

/// An enforcement that writes down what it is asked and does what the cgroup's name says.
#[derive(Default)]
pub(crate) struct Fake {
    pub(crate) heard: Arc<Mutex<Vec<String>>>,
    pub(crate) ledger_is_broken: bool,
}

pub(crate) const PEER: Peer = Peer { uid: 0, pid: 7 };

impl Fake {
    fn hear(&self, what: String) {
        self.heard.lock().unwrap().push(what);
    }
}

impl Enforcement for Fake {
    fn record(&self, action: &Action, peer: Peer) -> Result<(), Problem> {
        if self.ledger_is_broken {
            return Err(Problem::new(Code::Fault, "disk full"));
        }
        self.hear(format!("record {action} by {}", peer.uid));
        Ok(())
    }

    fn label(&self, cgroup: &str, label: &Label) -> Result<WorkloadView, Problem> {
        let (policy, stance) = (label.policy().map(AsRef::as_ref), label.stance());
        let person = label.principal().map(|own| format!(" for {}", own.name()));
        self.hear(format!("label {cgroup}{}", person.unwrap_or_default()));
        match cgroup {
            "/panic" => panic!("a fake fault"),
            "/none" => Err(Problem::new(Code::Unknown, "no such cgroup")),
            _ => Ok(WorkloadView {
                name: "a".to_owned(),
                cgroup: cgroup.to_owned(),
                cgroup_id: 42,
                policy: policy.map(str::to_owned),
                container: None,
                principal: None,
                stance: stance.as_str().to_owned(),
                flows_open: 1,
                flows_total: 2,
            }),
        }
    }

    fn rotate_ca(&self) -> Result<AuthorityView, Problem> {
        self.hear("rotate ca".to_owned());
        Ok(AuthorityView::default())
    }

    fn quarantine(&self, target: &Target) -> Result<Quarantined, Problem> {
        self.hear(format!("quarantine {target}"));
        Ok(quarantined(target, true))
    }

    fn lift(&self, target: &Target) -> Result<Quarantined, Problem> {
        self.hear(format!("lift {target}"));
        Ok(quarantined(target, false))
    }

    fn unlabel(&self, cgroup: &str) -> Result<Unlabelled, Problem> {
        self.hear(format!("unlabel {cgroup}"));
        Ok(Unlabelled {
            cgroup: cgroup.to_owned(),
            was_labelled: true,
            workload: Some("a".to_owned()),
        })
    }

    fn admit(&self, newcomer: &Newcomer) -> Result<WorkloadView, Problem> {
        Err(Problem::new(Code::Conflict, &newcomer.id))
    }

    fn choose(&self, id: &str) -> Result<Chosen, Problem> {
        Err(Problem::new(Code::Unknown, id))
    }

    fn rescan(&self) -> Result<Rescanned, Problem> {
        self.hear("rescan".to_owned());
        Ok(Rescanned {
            workloads: Vec::new(),
            not_served: Vec::new(),
            errors: 3,
            truncated: false,
        })
    }

    fn status(&self) -> Status {
        status()
    }
}

fn quarantined(target: &Target, in_force: bool) -> Quarantined {
    Quarantined {
        target: target.to_string(),
        in_force,
        changed: true,
        workloads: Vec::new(),
        flows_ended: 2,
        warning: None,
    }
}

pub(crate) fn status() -> Status {
    Status {
        version: "1.2.3".to_owned(),
        pid: 99,
        uptime_seconds: 61,
        policy: PolicyView {
            source: "/etc/enforcer/policies".into(),
            digest: "sha256:00".to_owned(),
            rules: 5,
            problem: None,
        },
        workloads: Vec::new(),
        ledger: LedgerView {
            path: "/var/lib/enforcer/audit.jsonl".into(),
            sequence: 8,
            head: "ab".to_owned(),
            problem: Some("disk full".to_owned()),
        },
        authority: AuthorityView {
            fingerprint: "AB:CD".to_owned(),
            certificate: "/var/lib/enforcer/ca/ca.pem".into(),
            ..AuthorityView::default()
        },
        dangers: Vec::new(),
        quarantines: Vec::new(),
        watchdog: None,
        trust: Vec::new(),
    }
}

fn label(cgroup: &str) -> Action {
    Action::Label {
        cgroup: cgroup.to_owned(),
        policy: None,
        observe: false,
        principal: None,
        groups: Vec::new(),
    }
}

#[test]
fn every_change_is_in_the_ledger_before_it_is_made() {
    let fake = Fake::default();
    let heard = fake.heard.clone();
    let controller = Controller::new(fake);
    let unlabel = Action::Unlabel {
        cgroup: "/b".to_owned(),
    };
    for action in [label("/a"), unlabel, Action::Rescan, Action::RotateCa] {
        controller.perform(&action, PEER).unwrap();
    }
    assert!(controller.perform(&label("/none"), PEER).is_err());
    let expected = [
        "record label /a * by 0",
        "label /a",
        "record unlabel /b by 0",
        "unlabel /b",
        "record rescan by 0",
        "rescan",
        "record ca_rotate by 0",
        "rotate ca",
        "record label /none * by 0",
        "label /none",
    ];
    assert_eq!(*heard.lock().unwrap(), expected);
}

#[test]
fn a_question_is_no_change() {
    let fake = Fake::default();
    let heard = fake.heard.clone();
    let view = Controller::new(fake)
        .perform(&Action::Status, PEER)
        .unwrap();
    assert_eq!(view, View::Status(Box::new(status())));
    assert!(heard.lock().unwrap().is_empty());
}

#[test]
fn without_a_ledger_nothing_is_changed() {
    let fake = Fake {
        ledger_is_broken: true,
        ..Fake::default()
    };
    let heard = fake.heard.clone();
    let controller = Controller::new(fake);
    let problem = controller.perform(&label("/a"), PEER).unwrap_err();
    assert_eq!(problem.code, Code::Unavailable);
    assert!(problem.message.contains("disk full"), "{problem}");
    assert!(heard.lock().unwrap().is_empty());
    controller.perform(&Action::Status, PEER).unwrap();
}

#[test]
fn an_operators_text_cannot_break_a_line() {
    let action = label("/a\nlabel /b");
    assert_eq!(action.to_string(), "label /a\\nlabel /b *");
}

#[test]
fn a_full_disk_keeps_no_quarantine_from_coming() {
    let fake = Fake {
        ledger_is_broken: true,
        ..Fake::default()
    };
    let heard = fake.heard.clone();
    let controller = Controller::new(fake);
    let target = Target::Workload("a\nb".to_owned());
    let quarantine = Action::Quarantine {
        target: target.clone(),
    };
    assert!(controller.perform(&quarantine, PEER).is_ok());
    let lift = Action::Lift { target };
    let problem = controller.perform(&lift, PEER).unwrap_err();
    assert_eq!(problem.code, Code::Unavailable);
    assert_eq!(*heard.lock().unwrap(), ["quarantine workload a\\nb"]);
}

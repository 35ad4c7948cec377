//! What operators may do to a running daemon, done.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use arc_swap::ArcSwap;
use enforcer_audit::{Entry, Ledger, OperatorAction};
use enforcer_control::{
    Action, AuthorityView, Code, LedgerView, NotServed, Peer, PolicyView, Problem, Rescanned,
    Status, Unlabelled, WorkloadView,
};
use enforcer_flow::Workload;
use enforcer_gate::Quota;
use enforcer_identity::{Cgroup, Hierarchy, Label, Scan, Workloads};
use enforcer_policy::PolicySet;
use enforcer_tls::Authority;
use tokio::runtime::Handle;

use crate::enforcement::Enforcement;

/// The daemon as its operators see it.
pub(crate) struct Operations {
    pub hierarchy: Hierarchy,
    pub enforcement: Arc<Mutex<Enforcement>>,
    pub workloads: Arc<Workloads>,
    pub flows: Arc<Quota>,
    pub ledger: Arc<Ledger>,
    pub authority: Arc<Authority>,
    pub policy: Arc<ArcSwap<PolicySet>>,
    pub policy_source: PathBuf,
    /// Why the newest policy files are not in force.
    pub policy_problem: Arc<Mutex<Option<String>>>,
    pub started: Instant,
    /// Where listeners live.
    pub front: Handle,
}

/// The daemon in the hands of its controller.
pub(crate) struct Operator(pub Arc<Operations>);

/// What a look at all labels came to.
pub(crate) struct Followed {
    pub scan: Scan,
    pub problems: Vec<(Cgroup, String)>,
}

impl Operations {
    /// Makes what is enforced be what is labelled.
    pub(crate) fn follow(&self) -> Followed {
        let scan = self.hierarchy.scan();
        let problems = {
            let _entered = self.front.enter();
            let mut enforcement = self.enforcement();
            // A walk that missed something must not release what it did not see.
            let may_release = scan.errors == 0 && !scan.truncated;
            enforcement.follow(&scan.labelled, may_release)
        };
        Followed { scan, problems }
    }

    fn enforcement(&self) -> MutexGuard<'_, Enforcement> {
        // Each change is made in the kernel first; a panic leaves at worst a workload that is enforced and not listed,
        // which the next look at the labels puts right.
        self.enforcement
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn view(&self, workload: &Workload) -> WorkloadView {
        let count = self.flows.of(workload.cgroup);
        WorkloadView::new(workload, count.open as u64, count.total)
    }

    fn views(&self) -> Vec<WorkloadView> {
        let workloads = self.workloads.list();
        workloads
            .iter()
            .map(|workload| self.view(workload))
            .collect()
    }
}

impl enforcer_control::Enforcement for Operator {
    fn record(&self, action: &Action, peer: Peer) -> Result<(), Problem> {
        let entry = Entry::OperatorAction(OperatorAction {
            action: action.name(),
            detail: action,
            uid: peer.uid,
            pid: peer.pid,
        });
        match self.0.ledger.append(&entry) {
            Ok(_receipt) => Ok(()),
            Err(error) => Err(Problem::new(Code::Unavailable, error)),
        }
    }

    fn label(&self, cgroup: &str, policy: Option<&str>) -> Result<WorkloadView, Problem> {
        let cgroup = self.0.hierarchy.open(Path::new(cgroup))?;
        let label = Label::new(policy)?;
        let before = cgroup.read_label()?;
        self.0.hierarchy.label(&cgroup, &label)?;
        let enforced = {
            let _entered = self.0.front.enter();
            self.0.enforcement().enforce(&cgroup, &label, "label")
        };
        match enforced {
            Ok(workload) => Ok(self.0.view(&workload)),
            Err(error) => {
                let restored = match before {
                    Some(before) => self
                        .0
                        .hierarchy
                        .label(&cgroup, &before)
                        .map_err(Problem::from),
                    None => self
                        .0
                        .hierarchy
                        .unlabel(&cgroup)
                        .map(drop)
                        .map_err(Problem::from),
                };
                if let Err(problem) = restored {
                    tracing::error!(%problem, cgroup = %cgroup.path(), "a label could not be taken back");
                }
                Err(Problem::new(Code::Fault, format!("{error:#}")))
            }
        }
    }

    fn unlabel(&self, cgroup: &str) -> Result<Unlabelled, Problem> {
        let cgroup = self.0.hierarchy.open(Path::new(cgroup))?;
        let was_labelled = self.0.hierarchy.unlabel(&cgroup)?.is_some();
        let workload = self.0.workloads.find(cgroup.id());
        let released = {
            let _entered = self.0.front.enter();
            self.0.enforcement().release(cgroup.id())
        };
        released.map_err(|error| Problem::new(Code::Fault, format!("{error:#}")))?;
        Ok(Unlabelled {
            cgroup: cgroup.path().to_string(),
            was_labelled,
            workload: workload.map(|workload| workload.name.to_string()),
        })
    }

    fn rescan(&self) -> Result<Rescanned, Problem> {
        let Followed { scan, problems } = self.0.follow();
        let refused = scan
            .refused
            .iter()
            .map(|(cgroup, error)| (cgroup, error.to_string()));
        let failed = problems
            .iter()
            .map(|(cgroup, error)| (cgroup, error.clone()));
        let not_served = refused
            .chain(failed)
            .map(|(cgroup, reason)| NotServed {
                cgroup: cgroup.path().to_string(),
                reason,
            })
            .collect();
        Ok(Rescanned {
            workloads: self.0.views(),
            not_served,
            errors: scan.errors,
            truncated: scan.truncated,
        })
    }

    fn status(&self) -> Status {
        let policy = self.0.policy.load();
        let (sequence, head) = match self.0.ledger.head() {
            Ok(head) => (head.sequence, head.hash.to_string()),
            Err(_) => (0, String::new()),
        };
        let broken = self.0.ledger.is_broken();
        let problem = self.0.policy_problem.lock();
        Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            uptime_seconds: self.0.started.elapsed().as_secs(),
            policy: PolicyView {
                source: self.0.policy_source.clone(),
                digest: policy.digest().to_owned(),
                rules: policy.rules() as u64,
                problem: problem.unwrap_or_else(PoisonError::into_inner).clone(),
            },
            workloads: self.0.views(),
            ledger: LedgerView {
                path: self.0.ledger.path().to_owned(),
                sequence,
                head,
                problem: broken
                    .then(|| "the ledger cannot be written; nothing is granted".to_owned()),
            },
            authority: AuthorityView {
                fingerprint: self.0.authority.fingerprint().to_string(),
                certificate: self.0.authority.certificate().path().to_owned(),
            },
            dangers: Vec::new(),
        }
    }
}

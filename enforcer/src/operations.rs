//! What operators may do to a running daemon, done.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use arc_swap::ArcSwap;
use enforcer_audit::{Entry, Ledger, OperatorAction};
use enforcer_control::{
    Action, AuthorityView, Chosen, Code, DistrustedView, LedgerView, Newcomer, NotServed, Peer,
    PolicyView, Problem, Quarantined, Rescanned, Status, Target, TrustView, Unlabelled,
    WorkloadView,
};
use enforcer_flow::{Stance, Workload};
use enforcer_gate::Quota;
use enforcer_identity::{Cgroup, Hierarchy, Label, Pattern, Provenance, Scan, Via, Workloads};
use enforcer_policy::PolicySet;
use enforcer_proxy::Distrust;
use tokio::runtime::Handle;

use crate::containers::Engines;
use crate::enforcement::{Enforcement, Watchdog};
use crate::quarantine::{Order, Orders};
use crate::rotation::Rotation;
use crate::trust::Trust;

mod containers;

/// The daemon as its operators see it.
pub(crate) struct Operations {
    pub hierarchy: Hierarchy,
    pub enforcement: Arc<Mutex<Enforcement>>,
    pub workloads: Arc<Workloads>,
    pub flows: Arc<Quota>,
    pub ledger: Arc<Ledger>,
    /// The CA, and what is done with it.
    pub ca: Rotation,
    /// None where no containers are served.
    pub trust: Option<Arc<Trust>>,
    /// Whose programs do not believe the CA.
    pub distrust: Arc<Distrust>,
    pub policy: Arc<ArcSwap<PolicySet>>,
    pub policy_source: PathBuf,
    pub orders: Arc<Orders>,
    /// What looking after the programs came to.
    pub watchdog: Mutex<Watchdog>,
    /// Why the newest policy files are not in force.
    pub policy_problem: Arc<Mutex<Option<String>>>,
    /// What the configuration labels.
    pub patterns: Vec<Pattern>,
    /// Who runs containers here.
    pub engines: Arc<Engines>,
    /// For containers of our runtime that name no policy.
    pub default_policy: Option<String>,
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
        self.ca.remind();
        let _entered = self.front.enter();
        // Held while the labels are read: what is labelled and enforced meanwhile would else be released for having had no
        // label a moment ago.
        let mut enforcement = self.enforcement();
        let scan = self.hierarchy.scan(&self.patterns);
        // A walk that missed something must not release what it did not see.
        let may_release = scan.errors == 0 && !scan.truncated;
        let problems = enforcement.follow(&scan, may_release);
        Followed { scan, problems }
    }

    /// Looks after the programs, and returns how many faults stand.
    pub(crate) fn look_after(&self) -> usize {
        let mut watchdog = self.watchdog();
        self.enforcement().look_after(&mut watchdog);
        watchdog.standing()
    }

    fn watchdog(&self) -> MutexGuard<'_, Watchdog> {
        // What a panic left half counted is counted anew with the next look.
        self.watchdog.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// What an operator's target is to be called over restarts. A workload is its cgroup's path, for its name may be given to
    /// another one.
    fn order(&self, target: &Target) -> Result<Order, Problem> {
        let named = match target {
            Target::All => return Ok(Order::All),
            Target::Policy(name) => {
                Label::new(Some(name))?;
                return Ok(Order::Policy(name.clone()));
            }
            Target::Workload(named) => named,
        };
        let workloads = self.workloads.list();
        if let Some(workload) = workloads.iter().find(|workload| *workload.name == **named) {
            return Ok(Order::Cgroup(workload.path.to_string()));
        }
        if !named.starts_with('/') {
            let message = format!(
                "there is no workload `{}`; `enforcer status` lists them, and a cgroup's path stands for one that is not there yet",
                named.escape_debug()
            );
            return Err(Problem::new(Code::Unknown, message));
        }
        let path = match self.hierarchy.open(Path::new(named)) {
            Ok(cgroup) => cgroup.path().to_string(),
            // One that is not there (yet, or any more) is meant as it is written.
            Err(_) => below(self.hierarchy.mount(), named),
        };
        if path == "/" {
            return Ok(Order::All);
        }
        // What is further down in a workload is that workload.
        let holder = workloads
            .iter()
            .find(|workload| Order::Cgroup(workload.path.to_string()).is_for(&path, None));
        Ok(Order::Cgroup(
            holder.map_or(path, |workload| workload.path.to_string()),
        ))
    }

    /// Has the workloads take the stance that an order, or its end, means for them.
    fn carry_out(
        &self,
        order: &Order,
        how: &str,
        changed: bool,
        warning: Option<String>,
    ) -> Result<Quarantined, Problem> {
        let (flows_ended, problems) = {
            let _entered = self.front.enter();
            self.enforcement().resettle(how)
        };
        if !problems.is_empty() {
            return Err(Problem::new(Code::Fault, problems.join("; ")));
        }
        let workloads = self.workloads.list();
        let meant = workloads
            .iter()
            .filter(|workload| order.is_for(&workload.path, workload.policy.as_deref()));
        let workloads: Vec<WorkloadView> = meant.map(|workload| self.view(workload)).collect();
        let held = workloads
            .iter()
            .any(|view| view.stance == Stance::Quarantine.as_str());
        let in_force = self.orders.list().contains(order);
        let elsewhere = (held && !in_force)
            .then(|| "some stay in quarantine by another order; see `enforcer status`".to_owned());
        Ok(Quarantined {
            target: order.to_string(),
            in_force,
            changed,
            workloads,
            flows_ended,
            warning: warning.or(elsewhere),
        })
    }

    /// What is in use that weakens security.
    fn dangers(&self) -> Vec<String> {
        let workloads = self.workloads.list();
        workloads
            .iter()
            .filter(|workload| workload.stance == Stance::Observe)
            .map(|workload| {
                format!(
                    "{} is only observed: nothing of it is blocked",
                    workload.name
                )
            })
            .collect()
    }

    /// Of the workloads of which there is something to say.
    fn trust(&self) -> Vec<TrustView> {
        let workloads = self.workloads.list();
        let views = workloads.iter().map(|workload| {
            let trust = self.trust.as_ref();
            let (stores, problems) = trust
                .map(|trust| trust.of(workload.cgroup))
                .unwrap_or_default();
            let distrusted = self.distrust.of(workload.cgroup).into_iter();
            TrustView {
                workload: workload.name.to_string(),
                stores,
                problems,
                distrusted: distrusted
                    .map(|one| DistrustedView {
                        host: one.host.to_string(),
                        program: one.program.to_string(),
                        count: one.count,
                    })
                    .collect(),
            }
        });
        let is_empty = |view: &TrustView| {
            view.stores.is_empty() && view.problems.is_empty() && view.distrusted.is_empty()
        };
        views.filter(|view| !is_empty(view)).collect()
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

    fn label(&self, cgroup: &str, label: &Label) -> Result<WorkloadView, Problem> {
        let cgroup = self.0.hierarchy.open(Path::new(cgroup))?;
        let before = cgroup.read_label()?;
        self.0.hierarchy.label(&cgroup, label)?;
        cgroup.write_provenance(&Provenance {
            via: Via::Label,
            ..cgroup.provenance()
        })?;
        let enforced = {
            let _entered = self.0.front.enter();
            self.0.enforcement().enforce(&cgroup, label, "label")
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

    fn admit(&self, newcomer: &Newcomer) -> Result<WorkloadView, Problem> {
        self.0.admit(newcomer)
    }

    fn choose(&self, id: &str) -> Result<Chosen, Problem> {
        self.0.choose(id)
    }

    fn unlabel(&self, cgroup: &str) -> Result<Unlabelled, Problem> {
        let cgroup = self.0.hierarchy.open(Path::new(cgroup))?;
        let was_labelled = self.0.hierarchy.unlabel(&cgroup)?.is_some();
        // What discovery brought in, it would bring in again.
        cgroup.mark_released()?;
        let workload = self.0.workloads.find(cgroup.id());
        let released = {
            let _entered = self.0.front.enter();
            let mut enforcement = self.0.enforcement();
            let released = enforcement.release(cgroup.id());
            enforcement.follow_namespaces();
            released
        };
        released.map_err(|error| Problem::new(Code::Fault, format!("{error:#}")))?;
        Ok(Unlabelled {
            cgroup: cgroup.path().to_string(),
            was_labelled,
            workload: workload.map(|workload| workload.name.to_string()),
        })
    }

    fn quarantine(&self, target: &Target) -> Result<Quarantined, Problem> {
        let order = self.0.order(target)?;
        let (changed, kept) = self.0.orders.add(&order);
        let warning = kept
            .err()
            .map(|error| format!("it may not outlive the daemon: {error:#}"));
        self.0.carry_out(&order, "quarantine", changed, warning)
    }

    fn lift(&self, target: &Target) -> Result<Quarantined, Problem> {
        let order = self.0.order(target)?;
        let lifted = self.0.orders.remove(&order);
        let lifted = lifted.map_err(|error| Problem::new(Code::Fault, format!("{error:#}")))?;
        if !lifted {
            let others = self.0.orders.list();
            let known = if others.is_empty() {
                "nothing is".to_owned()
            } else {
                let words: Vec<String> = others.iter().map(ToString::to_string).collect();
                format!("in quarantine are: {}", words.join(", "))
            };
            let message = format!("{order} is not in quarantine; {known}");
            return Err(Problem::new(Code::Unknown, message));
        }
        self.0.carry_out(&order, "lift", true, None)
    }

    fn rotate_ca(&self) -> Result<AuthorityView, Problem> {
        let rotated = self.0.ca.rotate();
        rotated.map_err(|error| Problem::new(Code::Fault, format!("{error:#}")))
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
            authority: self.0.ca.view(),
            trust: self.0.trust(),
            dangers: self.0.dangers(),
            quarantines: self
                .0
                .orders
                .list()
                .iter()
                .map(ToString::to_string)
                .collect(),
            watchdog: self.0.watchdog().view(),
        }
    }
}

/// A path as it would be below the mount.
fn below(mount: &Path, named: &str) -> String {
    let inside = Path::new(named).strip_prefix(mount).ok();
    let inside = inside.map_or_else(|| named.to_owned(), |path| format!("/{}", path.display()));
    let trimmed = inside.trim_end_matches('/');
    if trimmed.is_empty() {
        "/".to_owned()
    } else {
        trimmed.to_owned()
    }
}

//! The one place that performs actions.

use std::sync::{Arc, Mutex, PoisonError};

use enforcer_flow::{Principal, Stance};
use enforcer_identity::Label;

use crate::{
    Action, AuthorityView, Chosen, Code, Newcomer, Peer, Problem, Quarantined, Rescanned, Status,
    Target, Unlabelled, View, WorkloadView,
};

#[cfg(test)]
pub(crate) mod tests;

/// What the running enforcer lends to its controller. Calls may block; changes come one at a time.
pub trait Enforcement: Send + Sync + 'static {
    /// Writes to the ledger that this peer asks for this change. Called before the change is made.
    ///
    /// # Errors
    /// When it was not written. Then the change is not made.
    fn record(&self, action: &Action, peer: Peer) -> Result<(), Problem>;

    /// Labels a cgroup and returns when it is enforced; takes over the policy of one that is labelled already.
    ///
    /// # Errors
    /// When it may not be labelled or cannot be enforced; then neither has been done.
    fn label(&self, cgroup: &str, label: &Label) -> Result<WorkloadView, Problem>;

    /// Enforces a container that is about to start, and returns when nothing of it goes anywhere but through us.
    ///
    /// # Errors
    /// When it cannot be enforced; then it must not start.
    fn admit(&self, newcomer: &Newcomer) -> Result<WorkloadView, Problem>;

    /// The policy for a container that its engine is about to make.
    ///
    /// # Errors
    /// When the engine that knows it cannot be asked, or its label names no policy.
    fn choose(&self, id: &str) -> Result<Chosen, Problem>;

    /// Ends every flow of the target and returns when none of its packets goes anywhere any more.
    ///
    /// # Errors
    /// When nobody can be meant, or the order cannot be carried out everywhere.
    fn quarantine(&self, target: &Target) -> Result<Quarantined, Problem>;

    /// Lifts a quarantine and returns when its workloads are served again.
    ///
    /// # Errors
    /// When there is no such quarantine, or it goes on.
    fn lift(&self, target: &Target) -> Result<Quarantined, Problem>;

    /// Takes a label off and returns when the cgroup is not enforced any more.
    ///
    /// # Errors
    /// When there is no such cgroup, or it goes on being enforced.
    fn unlabel(&self, cgroup: &str) -> Result<Unlabelled, Problem>;

    /// Finds all labels anew and returns when what is enforced is what is labelled.
    ///
    /// # Errors
    /// When the hierarchy cannot be read.
    fn rescan(&self) -> Result<Rescanned, Problem>;

    /// Puts another CA in the place of the one that signs, and returns when it signs.
    ///
    /// # Errors
    /// When there is none to take its place; then it goes on signing.
    fn rotate_ca(&self) -> Result<AuthorityView, Problem>;

    /// How things are.
    fn status(&self) -> Status;
}

/// Performs actions: changes in turn and never without an entry in the ledger, questions at any time.
pub struct Controller {
    enforcement: Box<dyn Enforcement>,
    changing: Mutex<()>,
}

impl Controller {
    /// A controller of this enforcement.
    #[must_use]
    pub fn new(enforcement: impl Enforcement) -> Arc<Self> {
        Arc::new(Self {
            enforcement: Box::new(enforcement),
            changing: Mutex::new(()),
        })
    }

    /// Performs one action. Blocks.
    ///
    /// # Errors
    /// When it was refused or failed.
    pub fn perform(&self, action: &Action, peer: Peer) -> Result<View, Problem> {
        if !action.changes() {
            return self.carry_out(action);
        }
        // The lock guards no data that a panic could have left half written.
        let changing = self.changing.lock();
        let _changing = changing.unwrap_or_else(PoisonError::into_inner);
        self.record(action, peer)?;
        let done = self.carry_out(action);
        match &done {
            Ok(_) => tracing::info!(%action, peer.uid, peer.pid, "operator's change was made"),
            Err(problem) => {
                tracing::warn!(%action, peer.uid, peer.pid, %problem, "operator's change was refused");
            }
        }
        done
    }

    /// In the ledger first. Without it nothing is changed, unless the change can only take away.
    fn record(&self, action: &Action, peer: Peer) -> Result<(), Problem> {
        let Err(problem) = self.enforcement.record(action, peer) else {
            return Ok(());
        };
        if action.only_narrows() {
            tracing::error!(%action, peer.uid, peer.pid, %problem, "an operator's change is made without its line in the ledger");
            return Ok(());
        }
        let message = format!("nothing was changed, the ledger does not take the entry: {problem}");
        Err(Problem::new(Code::Unavailable, message))
    }

    fn carry_out(&self, action: &Action) -> Result<View, Problem> {
        let enforcement = &*self.enforcement;
        match action {
            Action::Label {
                cgroup,
                policy,
                observe,
                principal,
                groups,
            } => {
                let label = Label::new(policy.as_deref())?.with_stance(stance(*observe));
                let label = label.with_principal(person(principal.as_deref(), groups)?);
                enforcement.label(cgroup, &label).map(View::Labelled)
            }
            Action::Lift { target } => enforcement.lift(target).map(View::Quarantined),
            Action::Admit(newcomer) => enforcement.admit(newcomer).map(View::Labelled),
            Action::Choose { id } => enforcement.choose(id).map(View::Chosen),
            Action::Quarantine { target } => enforcement.quarantine(target).map(View::Quarantined),
            Action::Rescan => enforcement.rescan().map(View::Rescanned),
            Action::RotateCa => enforcement.rotate_ca().map(View::Authority),
            Action::Status => Ok(View::Status(Box::new(enforcement.status()))),
            Action::Unlabel { cgroup } => enforcement.unlabel(cgroup).map(View::Unlabelled),
        }
    }
}

fn stance(observe: bool) -> Stance {
    if observe {
        Stance::Observe
    } else {
        Stance::Enforce
    }
}

/// For whom somebody says that a workload works.
fn person(name: Option<&str>, groups: &[String]) -> Result<Option<Principal>, Problem> {
    let malformed = |message: &dyn std::fmt::Display| Problem::new(Code::Malformed, message);
    match name {
        None if groups.is_empty() => Ok(None),
        None => Err(malformed(&"groups without a principal who is in them")),
        Some(name) => Principal::new(name, groups.iter().map(String::as_str))
            .map(Some)
            .map_err(|error| malformed(&error)),
    }
}

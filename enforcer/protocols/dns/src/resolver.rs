//! The resolver as a running thing: the policy in force, the names, and the way into the ledger, for all agents.

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use enforcer_audit::Ledger;
use enforcer_flow::{CgroupId, ClientAddr, NetnsCookie, Process, Workload};
use enforcer_gate::Lookups;
use enforcer_policy::PolicySet;

use crate::evidence::Evidence;
use crate::observe::{Errand, Real, Said};
use crate::{Cause, Finding, Ground, Names, Outcome, Transport, answer};

/// Tells whose datagram it is. Given by whoever knows what the kernel recorded.
pub trait Attribution: Send + Sync {
    /// The workload and process behind a client's address in a network namespace; none when nobody knows. Must not block:
    /// it is asked once for each datagram, in the loop that serves the namespace.
    fn of(&self, netns: NetnsCookie, client: ClientAddr) -> Option<(Arc<Workload>, Process)>;
}

/// Who asks.
#[derive(Clone, Debug)]
pub struct Asker {
    /// The labelled cgroup.
    pub workload: Arc<Workload>,
    /// The process.
    pub process: Process,
}

/// Answers lookups and takes note of them. One for the whole enforcer.
pub struct Resolver {
    names: Arc<Names>,
    policy: Arc<ArcSwap<PolicySet>>,
    evidence: Evidence,
    attribution: Arc<dyn Attribution>,
    /// Whom to ask for workloads that are only observed; without, they are answered like all others.
    real: Option<Real>,
}

// === impl Resolver ===

impl Resolver {
    /// A resolver that reads the policy in force for every query anew.
    #[must_use]
    pub fn new(
        names: Arc<Names>,
        policy: Arc<ArcSwap<PolicySet>>,
        ledger: Arc<Ledger>,
        attribution: Arc<dyn Attribution>,
    ) -> Self {
        Self {
            names,
            policy,
            evidence: Evidence::new(ledger),
            attribution,
            real: None,
        }
    }

    /// Has lookups of observed workloads that would be refused asked of these name servers.
    #[must_use]
    pub fn asking(self, lookups: Lookups) -> Self {
        Self {
            real: Some(Real::new(lookups)),
            ..self
        }
    }

    /// Writes the counts of lookups that were too many for a line each. Never ends; to be run once beside the servers.
    /// Without it the counts wait for the workload's next lookup, or for its end.
    pub async fn settle(&self) {
        self.evidence.settle().await;
    }

    /// Forgets a workload whose cgroup is gone, its names and all; what is left to write of its lookups is written.
    pub fn forget(&self, workload: CgroupId) {
        self.names.forget(workload);
        self.evidence.forget(workload);
    }

    /// Answers a datagram.
    pub(crate) fn reply_to(&self, query: &[u8], netns: NetnsCookie, client: ClientAddr) -> Said {
        let asker = self
            .attribution
            .of(netns, client)
            .map(|(workload, process)| Asker { workload, process });
        self.say(query, asker.as_ref(), Transport::Udp)
    }

    /// Answers a query and takes note of it, or says who is to be asked first.
    pub(crate) fn say(&self, query: &[u8], asker: Option<&Asker>, transport: Transport) -> Said {
        let policy = self.policy.load();
        let reply = answer(
            query,
            &Ground {
                workload: asker.map(|asker| &*asker.workload),
                policy: &policy,
                names: &self.names,
                transport,
            },
        );
        let Some(finding) = reply.finding else {
            return Said::Now(reply.message);
        };
        let finding = match self.errand(query, asker, transport, finding) {
            Ok(errand) => return Said::Later(Box::new(errand)),
            Err(finding) => finding,
        };
        self.note(asker, &finding);
        Said::Now(reply.message)
    }

    /// Asks for real, for a workload that is only observed. None: silence.
    pub(crate) async fn run(&self, errand: Errand) -> Option<Vec<u8>> {
        let real = self.real.as_ref()?;
        if !real.has_room() {
            // Too many to write a line for each; counted as what they would have been.
            self.note(Some(&errand.asker), &errand.finding);
            return errand.fail();
        }
        let cause = errand.cause.code();
        let Some(receipt) = self.evidence.observe(&errand.asker, &errand.finding, cause) else {
            return errand.fail();
        };
        let known = real.ask(&receipt, &errand).await;
        errand.answer(known, &self.names)
    }

    /// What is to be asked instead of refused.
    fn errand(
        &self,
        query: &[u8],
        asker: Option<&Asker>,
        transport: Transport,
        finding: Finding,
    ) -> Result<Errand, Finding> {
        match (&self.real, asker) {
            (Some(_), Some(asker)) => Errand::of(query, asker, transport, finding),
            (None, _) | (_, None) => Err(finding),
        }
    }

    /// Takes note of a query that was too long to be read.
    pub(crate) fn note_overlong(&self, asker: Option<&Asker>) {
        let cause = asker.map_or(Cause::UnknownClient, |_| Cause::Malformed);
        self.note(
            asker,
            &Finding {
                name: String::new(),
                record: String::new(),
                outcome: Outcome::Refused(cause),
            },
        );
    }

    fn note(&self, asker: Option<&Asker>, finding: &Finding) {
        let now = tokio::time::Instant::now().into_std();
        self.evidence.record(asker, finding, now);
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolver").finish_non_exhaustive()
    }
}

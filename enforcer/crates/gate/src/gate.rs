//! The door itself: one question in, a permit or a refusal out, and the ledger written either way.

use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use arc_swap::{ArcSwap, Guard};
use enforcer_audit::{Entry, ExchangeDenied, ExchangeFacts, Fingerprint, Ledger};
use enforcer_flow::{CgroupId, Destination, ExchangeId, Host, Protocol, Stance};
use enforcer_policy::{Decision, PolicySet, Question, Request, RuleRef, Verdict};

use crate::endings::Endings;
use crate::spared::Spared;
use crate::{Exchange, Fault, Flow, Permit, Refusal};

/// What a protocol wants to do, as far as it has read.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// What is spoken.
    pub protocol: Protocol,
    /// Where to; the host is the verified name.
    pub destination: &'a Destination,
    /// Method and path, where the protocol has them.
    pub request: Option<Request<'a>>,
    /// The length of the query string; its content never enters the ledger.
    pub query_bytes: Option<usize>,
    /// The credentials it carries, as keyed fingerprints.
    pub credentials: &'a [Fingerprint],
}

/// The door. One per daemon, shared by every worker.
pub struct Gate {
    policy: Arc<ArcSwap<PolicySet>>,
    ledger: Arc<Ledger>,
    closing: AtomicBool,
    endings: Endings,
    spared: Spared,
}

impl Gate {
    /// A gate that asks the set which `policy` holds at the moment of asking, and writes to `ledger`.
    #[must_use]
    pub fn new(policy: Arc<ArcSwap<PolicySet>>, ledger: Arc<Ledger>) -> Self {
        Self {
            policy,
            ledger,
            closing: AtomicBool::new(false),
            endings: Endings::default(),
            spared: Spared::default(),
        }
    }

    /// The set in force now.
    #[must_use]
    pub fn policy(&self) -> Guard<Arc<PolicySet>> {
        self.policy.load()
    }

    /// The ledger it writes to.
    #[must_use]
    pub fn ledger(&self) -> &Arc<Ledger> {
        &self.ledger
    }

    /// Says that the daemon stops: what breaks off from now on does so at our end.
    pub fn close(&self) {
        self.closing.store(true, Relaxed);
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.closing.load(Relaxed)
    }

    /// Ends every open flow of a workload, with whatever runs in it, and returns how many. `cause` is what their endings in
    /// the ledger name. From here on none of them is granted anything, and their tasks end as soon as they run.
    ///
    /// A caller that changes what new flows may do makes that change first: then no flow slips through in between.
    pub fn end(&self, workload: CgroupId, cause: &'static str) -> usize {
        let flows = self.endings.of(workload);
        for flow in &flows {
            flow.end(cause);
        }
        flows.len()
    }

    /// Forgets what was learnt of a workload that is served no more.
    pub fn forget(&self, workload: CgroupId) {
        self.spared.forget(workload);
    }

    pub(crate) fn endings(&self) -> &Endings {
        &self.endings
    }

    /// Whether policy would forward this TLS flow unopened. Nothing is recorded: a yes is asked again through
    /// [`Gate::ask`], a no means that the flow is opened and judged by what is inside.
    #[must_use]
    pub fn passes_unopened(&self, flow: &Flow, destination: &Destination) -> bool {
        if self.spared.holds(flow.workload(), &destination.host) {
            return true;
        }
        let question = Question::new(
            flow.workload(),
            Protocol::Tls,
            &destination.host,
            destination.port,
        );
        self.policy.load().evaluate(&question).verdict == Verdict::Allow
    }

    /// Asks policy and records the answer. A grant is in the kernel's hands before this returns.
    ///
    /// # Errors
    /// The refusal, already recorded: policy said no, the flow has been ended, or the grant could not be recorded.
    pub fn ask(&self, flow: &Arc<Flow>, ask: Ask<'_>) -> Result<(Exchange, Permit), Refusal> {
        if let Some(cause) = flow.ending() {
            return Err(self.refuse(flow, ask, cause, "the connection has been ended"));
        }
        let stance = flow.workload().stance;
        if stance == Stance::Quarantine {
            return Err(self.refuse(flow, ask, "quarantined", "the workload is in quarantine"));
        }
        let id = ExchangeId::new();
        let question = Question::new(
            flow.workload(),
            ask.protocol,
            &ask.destination.host,
            ask.destination.port,
        )
        .with_request(ask.request);
        let decision = self.policy.load().evaluate(&question);
        match (decision.verdict, &decision.rule) {
            (Verdict::Allow, Some(rule)) => self.grant(id, flow, ask, rule),
            // An allow that no rule made would be nobody's; policy never makes one, and the gate never takes one.
            (Verdict::Allow, None) | (Verdict::Deny, _) if stance == Stance::Observe => {
                self.observe(id, flow, ask, &Objection::of(&decision))
            }
            (Verdict::Allow, None) | (Verdict::Deny, _) => Err(self.deny(id, flow, ask, &decision)),
        }
    }

    /// As [`Gate::refuse`], where the exchange could go on all the same: for an observed workload it is let out to where the
    /// connection goes, and recorded as what would have been refused.
    ///
    /// # Errors
    /// The refusal, already recorded.
    pub fn object(
        &self,
        flow: &Arc<Flow>,
        ask: Ask<'_>,
        cause: &'static str,
        public: &str,
    ) -> Result<(Exchange, Permit), Refusal> {
        match flow.workload().stance {
            Stance::Observe if flow.ending().is_none() => {
                let objection = Objection {
                    cause,
                    rule: None,
                    reason: None,
                };
                self.observe(ExchangeId::new(), flow, ask, &objection)
            }
            Stance::Enforce | Stance::Observe | Stance::Quarantine => {
                Err(self.refuse(flow, ask, cause, public))
            }
        }
    }

    /// Notes that a program of an observed workload does not talk to us in this host's place, or that we cannot talk to the
    /// host in the program's: from here on TLS to it passes unopened. Nothing comes of it for others.
    pub fn spare(&self, flow: &Flow, host: &Host) {
        match flow.workload().stance {
            Stance::Observe => self.spared.add(flow.workload(), host),
            Stance::Enforce | Stance::Quarantine => {}
        }
    }

    /// Lets out what would have been refused. The line is in the kernel's hands before.
    fn observe(
        &self,
        id: ExchangeId,
        flow: &Arc<Flow>,
        ask: Ask<'_>,
        objection: &Objection<'_>,
    ) -> Result<(Exchange, Permit), Refusal> {
        let entry = Entry::ExchangeObserved(ExchangeDenied {
            facts: &facts(id, flow, ask),
            cause: objection.cause,
            rule: objection.rule.map(RuleRef::as_str),
            reason: objection
                .reason
                .as_ref()
                .map(|reason| reason as &dyn Display),
        });
        self.let_out(id, flow, ask, &entry)
    }

    /// Records that a protocol itself refuses what it read (a name that contradicts another, a nested proxy).
    #[must_use]
    pub fn refuse(
        &self,
        flow: &Arc<Flow>,
        ask: Ask<'_>,
        cause: &'static str,
        public: &str,
    ) -> Refusal {
        let id = ExchangeId::new();
        self.ledger.defer(&Entry::ExchangeDenied(ExchangeDenied {
            facts: &facts(id, flow, ask),
            cause,
            rule: None,
            reason: None,
        }));
        Refusal {
            exchange: id,
            fault: Fault::Policy,
            cause,
            public: format!("{public} (exchange {id})"),
        }
    }

    fn grant(
        &self,
        id: ExchangeId,
        flow: &Arc<Flow>,
        ask: Ask<'_>,
        rule: &RuleRef,
    ) -> Result<(Exchange, Permit), Refusal> {
        let entry = Entry::ExchangeGranted {
            facts: &facts(id, flow, ask),
            rule: rule.as_str(),
        };
        self.let_out(id, flow, ask, &entry)
    }

    fn let_out(
        &self,
        id: ExchangeId,
        flow: &Arc<Flow>,
        ask: Ask<'_>,
        entry: &Entry<'_>,
    ) -> Result<(Exchange, Permit), Refusal> {
        let receipt = self.ledger.append(entry).map_err(|error| {
            tracing::error!(%error, exchange.id = %id, "the ledger could not be written; the exchange is refused");
            Refusal {
                exchange: id,
                fault: Fault::Unavailable,
                cause: "ledger_unavailable",
                public: format!("the enforcer cannot serve requests now (exchange {id})"),
            }
        })?;
        let exchange = Exchange::new(id, Arc::clone(flow));
        Ok((exchange, Permit::new(flow, ask, receipt)))
    }

    fn deny(&self, id: ExchangeId, flow: &Arc<Flow>, ask: Ask<'_>, decision: &Decision) -> Refusal {
        let cause = decision.cause.code();
        let rule = decision.rule.as_ref();
        let reason = rule.and_then(RuleRef::reason);
        self.ledger.defer(&Entry::ExchangeDenied(ExchangeDenied {
            facts: &facts(id, flow, ask),
            cause,
            rule: rule.map(RuleRef::as_str),
            reason: reason.as_ref().map(|reason| reason as &dyn Display),
        }));
        Refusal {
            exchange: id,
            fault: Fault::Policy,
            cause,
            public: public(id, ask, decision),
        }
    }
}

/// Why an exchange would have been refused.
struct Objection<'a> {
    cause: &'a str,
    rule: Option<&'a RuleRef>,
    reason: Option<&'a str>,
}

impl<'a> Objection<'a> {
    fn of(decision: &'a Decision) -> Self {
        let rule = decision.rule.as_ref();
        Self {
            cause: decision.cause.code(),
            rule,
            reason: rule.and_then(RuleRef::reason),
        }
    }
}

/// The agent's sentence: the destination it knows, the rule's name and the reason its author wrote for it.
fn public(id: ExchangeId, ask: Ask<'_>, decision: &Decision) -> String {
    let what = match ask.request {
        Some(request) => format!("{} {}{}", request.method, ask.destination, request.path),
        None => format!("{} to {}", ask.protocol, ask.destination),
    };
    match &decision.rule {
        Some(rule) => {
            let reason = rule.reason().map(|r| format!(": {r}")).unwrap_or_default();
            format!("{what} is denied by rule {rule}{reason} (exchange {id})")
        }
        None => format!("{what} is denied: {} (exchange {id})", decision.cause),
    }
}

fn facts<'a>(id: ExchangeId, flow: &'a Flow, ask: Ask<'a>) -> ExchangeFacts<'a> {
    ExchangeFacts {
        exchange: id,
        flow: flow.id(),
        workload: flow.workload(),
        process: flow.process(),
        protocol: ask.protocol,
        host: &ask.destination.host,
        port: ask.destination.port,
        method: ask.request.map(|request| request.method),
        path: ask.request.map(|request| request.path),
        query_bytes: ask.query_bytes.map(|bytes| bytes as u64),
        credentials: ask.credentials,
        content: None,
    }
}

//! The door itself: one question in, a permit or a refusal out, and the ledger written either way.

use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use arc_swap::{ArcSwap, Guard};
use enforcer_audit::{Entry, ExchangeDenied, ExchangeFacts, Fingerprint, Ledger};
use enforcer_flow::{Destination, ExchangeId, Protocol};
use enforcer_policy::{Decision, PolicySet, Question, Request, RuleRef, Verdict};

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
}

impl Gate {
    /// A gate that asks the set which `policy` holds at the moment of asking, and writes to `ledger`.
    #[must_use]
    pub fn new(policy: Arc<ArcSwap<PolicySet>>, ledger: Arc<Ledger>) -> Self {
        Self {
            policy,
            ledger,
            closing: AtomicBool::new(false),
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

    /// Whether policy would forward this TLS flow unopened. Nothing is recorded: a yes is asked again through
    /// [`Gate::ask`], a no means that the flow is opened and judged by what is inside.
    #[must_use]
    pub fn passes_unopened(&self, flow: &Flow, destination: &Destination) -> bool {
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
    /// The refusal, already recorded: policy said no, or the grant could not be recorded.
    pub fn ask(&self, flow: &Arc<Flow>, ask: Ask<'_>) -> Result<(Exchange, Permit), Refusal> {
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
            (Verdict::Allow, None) | (Verdict::Deny, _) => Err(self.deny(id, flow, ask, &decision)),
        }
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
        let receipt = self.ledger.append(&entry).map_err(|error| {
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

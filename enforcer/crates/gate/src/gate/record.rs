//! The lines that every answer leaves: a grant before anything happens, a denial, what was only observed.

use std::fmt::Display;
use std::sync::Arc;

use enforcer_audit::{Entry, ExchangeDenied};
use enforcer_flow::{ExchangeId, Stance};
use enforcer_policy::{Decision, RuleRef};

use super::facts::facts;
use super::public::public;
use super::{Ask, Gate, Granted, fault};
use crate::{Exchange, Fault, Flow, Permit, Refusal};

/// Why an exchange is, or would have been, refused.
pub(super) struct Objection<'a> {
    cause: &'static str,
    rule: Option<&'a RuleRef>,
    reason: Option<&'a str>,
}

impl Gate {
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
        let path = self.shown.path(&ask);
        let ask = ask.shown(path.as_deref());
        self.ledger.defer(&Entry::ExchangeDenied(ExchangeDenied {
            facts: &facts(id, flow, &ask),
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
    ) -> Result<Granted, Refusal> {
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

    /// Lets out what would have been refused. The line is in the kernel's hands before.
    pub(super) fn observe(
        &self,
        id: ExchangeId,
        flow: &Arc<Flow>,
        ask: Ask<'_>,
        objection: &Objection<'_>,
    ) -> Result<Granted, Refusal> {
        let path = self.shown.path(&ask);
        let ask = ask.shown(path.as_deref());
        let facts = facts(id, flow, &ask);
        let entry = Entry::ExchangeObserved(objection.entry(&facts));
        let (exchange, permit) = self.let_out(id, flow, ask, &entry)?;
        Ok(Granted {
            exchange,
            permit,
            terms: None,
        })
    }

    pub(super) fn grant(
        &self,
        id: ExchangeId,
        flow: &Arc<Flow>,
        ask: Ask<'_>,
        rule: &RuleRef,
    ) -> Result<(Exchange, Permit), Refusal> {
        let entry = Entry::ExchangeGranted {
            facts: &facts(id, flow, &ask),
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

    pub(super) fn deny(
        &self,
        id: ExchangeId,
        flow: &Arc<Flow>,
        ask: Ask<'_>,
        (decision, objection): (&Decision, &Objection<'_>),
    ) -> Refusal {
        let path = self.shown.path(&ask);
        let ask = ask.shown(path.as_deref());
        let facts = facts(id, flow, &ask);
        let entry = Entry::ExchangeDenied(objection.entry(&facts));
        self.ledger.defer(&entry);
        Refusal {
            exchange: id,
            fault: fault(decision),
            cause: objection.cause,
            public: public(id, ask, decision),
        }
    }
}

// === impl Objection ===

impl<'a> Objection<'a> {
    pub(super) fn of(decision: &'a Decision, cause: &'static str) -> Self {
        let rule = decision.rule.as_ref();
        Self {
            cause,
            rule,
            reason: rule.and_then(RuleRef::reason),
        }
    }

    fn entry<'e>(&'e self, facts: &'e enforcer_audit::ExchangeFacts<'e>) -> ExchangeDenied<'e> {
        ExchangeDenied {
            facts,
            cause: self.cause,
            rule: self.rule.map(RuleRef::as_str),
            reason: self.reason.as_ref().map(|reason| reason as &dyn Display),
        }
    }
}

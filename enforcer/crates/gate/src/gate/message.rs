//! Messages within a granted exchange: each is asked about, and what it asks of a model is counted.

use std::fmt::Display;

use enforcer_audit::{Entry, PartRuled};
use enforcer_flow::Stance;
use enforcer_policy::{Body, Decision, Obligation, RuleRef};
use enforcer_prompt::{Content, Usage};

use super::public::public;
use super::{Ask, Gate, TERMS, Unmet, fault, question};
use crate::{Exchange, Fault, Refusal};

/// The cause of refusals because an answer took what nobody had asked for.
const OVER: &str = "over_budget";

impl Gate {
    /// Asks policy about one message within a granted exchange. Only a no is recorded.
    ///
    /// # Errors
    /// The refusal: policy said no, or yes under terms that the exchange was not granted under.
    pub fn message(
        &self,
        exchange: &Exchange,
        ask: Ask<'_>,
        terms: &[Obligation],
    ) -> Result<(), Refusal> {
        let flow = exchange.flow();
        let decision = self.policy.load().evaluate(&question(flow, &ask));
        let met = |obligation| terms.contains(obligation);
        let (cause, fault) = match &decision.rule {
            Some(_) if decision.is_allow() && decision.obligations.iter().all(met) => {
                match self.bill_message(exchange, &ask, &decision) {
                    Ok(()) => return Ok(()),
                    Err(unmet) => (unmet.cause, unmet.fault),
                }
            }
            Some(_) if decision.is_allow() => (TERMS, fault(&decision)),
            Some(_) | None => (decision.cause.code(), fault(&decision)),
        };
        let rule = decision.rule.as_ref();
        let reason = rule.and_then(RuleRef::reason);
        let ruled = PartRuled {
            exchange: exchange.id(),
            flow: flow.id(),
            part: "message",
            name: None,
            count: None,
            cause,
            rule: rule.map(RuleRef::as_str),
            reason: reason.as_ref().map(|reason| reason as &dyn Display),
        };
        match flow.workload().stance {
            Stance::Observe => {
                self.ledger.defer(&Entry::PartObserved(ruled));
                return Ok(());
            }
            Stance::Enforce | Stance::Quarantine => {
                self.ledger.defer(&Entry::MessageDenied(ruled));
            }
        }
        Err(Refusal {
            exchange: exchange.id(),
            fault,
            cause,
            public: public(exchange.id(), ask, &decision),
        })
    }

    /// Counts what an answer to a message took, or one that no message asked for.
    ///
    /// # Errors
    /// The refusal: nothing was reserved for it, and a limit is passed by it now. It is recorded.
    pub fn answered(
        &self,
        exchange: &Exchange,
        model: Option<&str>,
        usage: &Usage,
    ) -> Result<(), Refusal> {
        if !exchange.answered(model, usage) {
            return Ok(());
        }
        let flow = exchange.flow();
        let id = exchange.id();
        let ruled = PartRuled {
            exchange: id,
            flow: flow.id(),
            part: "message",
            name: None,
            count: None,
            cause: OVER,
            rule: None,
            reason: None,
        };
        match flow.workload().stance {
            Stance::Observe => {
                self.ledger.defer(&Entry::PartObserved(ruled));
                Ok(())
            }
            Stance::Enforce | Stance::Quarantine => {
                self.ledger.defer(&Entry::MessageDenied(ruled));
                Err(Refusal {
                    exchange: id,
                    fault: Fault::Budget(None),
                    cause: OVER,
                    public: format!("there is too little left of a budget (exchange {id})"),
                })
            }
        }
    }

    /// Reserves what a message may take, if it asks for an answer and limits count that.
    fn bill_message(
        &self,
        exchange: &Exchange,
        ask: &Ask<'_>,
        decision: &Decision,
    ) -> Result<(), Unmet> {
        if !asks_for_answer(ask) {
            return Ok(());
        }
        if let Some(bill) = self.bill(exchange.flow(), ask, decision)? {
            exchange.defer(bill);
        }
        Ok(())
    }
}

/// Whether it is a request, and not only said.
fn asks_for_answer(ask: &Ask<'_>) -> bool {
    match ask.request.map(|request| request.body) {
        Some(Body::Read(read)) => match read.content {
            Content::Mcp { .. } => true,
            Content::Model(call) => !call.silent,
            Content::Empty | Content::Plain => false,
        },
        Some(Body::Later | Body::None | Body::Undecidable(_) | Body::Unread) | None => false,
    }
}

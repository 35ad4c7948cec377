//! What rules want masked of what they allow, found out before anything is granted.

use std::sync::Arc;

use enforcer_flow::ExchangeId;
use enforcer_policy::{Decision, PolicySet};

use super::record::Objection;
use super::{Ask, Gate, TERMS};
use crate::{Fault, Flow, MaskedHead, Masking, Refusal};

/// What an exchange is masked with, and its head where that is sent otherwise.
type Masked = (Option<Masking>, Option<Box<MaskedHead>>);

impl Gate {
    /// Looks through the head of what is allowed.
    pub(super) fn mask(
        &self,
        set: &Arc<PolicySet>,
        (id, flow): (ExchangeId, &Arc<Flow>),
        ask: &Ask<'_>,
        decision: &Decision,
    ) -> Result<Masked, Refusal> {
        let rules = match set.ruleset(&decision.obligations) {
            Ok(None) => return Ok((None, None)),
            Ok(Some(rules)) => Ok(rules),
            Err(errors) => Err(errors),
        };
        let (Ok(rules), Some(sessions)) = (rules, &self.sessions) else {
            let objection = Objection::of(decision, TERMS);
            let refusal = self.deny(id, flow, *ask, (decision, &objection));
            let fault = Fault::Unavailable;
            return Err(Refusal { fault, ..refusal });
        };
        let session = sessions.of(flow.workload().cgroup);
        let masking = Masking::new(rules, session, id, flow);
        match masking.head(ask) {
            Ok(head) => {
                let head = head.changes().then(|| Box::new(head));
                Ok((Some(masking), head))
            }
            Err(unsent) => {
                let ask = Ask {
                    shown_path: unsent.path.as_deref(),
                    ..*ask
                };
                let objection = Objection::of(decision, unsent.refusal.cause);
                self.deny(id, flow, ask, (decision, &objection));
                Err(unsent.refusal)
            }
        }
    }
}

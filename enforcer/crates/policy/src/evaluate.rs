//! `(PolicySet, Question) → Decision`: total, deny by default.

use enforcer_flow::{Host, Workload};

use crate::{Cause, Decision, PolicySet, Question};

impl PolicySet {
    /// Answers a question. Total: whatever is asked, there is an answer, and without a rule that allows it is no.
    #[must_use]
    pub fn evaluate(&self, question: &Question<'_>) -> Decision {
        let Question {
            workload: _,
            protocol: _,
            host: _,
            port: _,
            request: _,
        } = question;
        Decision::deny(Cause::NoneApplies, None)
    }

    /// Whether some rule could allow this workload something at this name, at whatever port and in whatever protocol.
    #[must_use]
    pub fn may_resolve(&self, workload: &Workload, name: &Host) -> Decision {
        let _ = (workload, name);
        Decision::deny(Cause::NoneApplies, None)
    }
}

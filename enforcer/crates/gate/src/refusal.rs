//! Our "no", in two strings: one for the agent, one for the operator.

use std::num::NonZeroU32;

use enforcer_flow::{ExchangeId, Side};

/// What kind of no it is; protocols translate it (400, 403, 431, 502, 503, a reset).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The agent's own message broke off or stood still.
    Agent,
    /// A limit leaves too little; in how many seconds there will be enough, if ever.
    Budget(Option<NonZeroU32>),
    /// A rule, the absence of one, or a request that contradicts itself. Final: asking again changes nothing.
    Policy,
    /// As [`Fault::Policy`], and the connection that asked is to end.
    Terminated,
    /// The head of the agent's request is longer than may be.
    TooLarge,
    /// The enforcer cannot witness or serve it now.
    Unavailable,
    /// The far side failed.
    Upstream,
}

/// A refused exchange. A value, not an error: the ledger has its entry already.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The exchange that was refused.
    pub exchange: ExchangeId,
    /// What kind of no.
    pub fault: Fault,
    /// A stable word for the cause, as in the ledger.
    pub cause: &'static str,
    /// A sentence for the agent: what was refused, by which rule, and nothing of what the rule says.
    pub public: String,
}

impl Fault {
    /// Whose end the fault lies at.
    #[must_use]
    pub fn side(self) -> Side {
        match self {
            Self::Agent | Self::Budget(_) | Self::Policy | Self::Terminated | Self::TooLarge => {
                Side::Agent
            }
            Self::Unavailable => Side::Own,
            Self::Upstream => Side::Upstream,
        }
    }
}

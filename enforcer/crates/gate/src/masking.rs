//! What a grant wants masked: the rules, whose keys and placeholders, and the lines about what is found.

use std::fmt;
use std::sync::{Arc, OnceLock};

use enforcer_flow::{ExchangeId, Stance};
use enforcer_mask::{Direction, Finding, Ruleset, Session, Stop};
use enforcer_policy::Cause;

use crate::masking::account::Account;
use crate::{Fault, Flow, Refusal};

mod account;
mod head;
mod sessions;

pub use head::MaskedHead;
pub use sessions::Sessions;

/// The cause of refusals for what was found.
const SENSITIVE: Cause = Cause::Sensitive;
const UNSEEN: &str = "cannot be looked through for sensitive data";

/// What one exchange is masked with. Cheap to clone; all clones write to one account.
#[derive(Clone)]
pub struct Masking {
    rules: Arc<Ruleset>,
    session: Arc<Session>,
    /// Values come back out of placeholders.
    restores: bool,
    /// Nothing is changed or stopped, only written down.
    watches: bool,
    account: Arc<Account>,
    /// Why the exchange is refused, if something that was found wants that.
    refusal: Arc<OnceLock<Refusal>>,
}

// === impl Masking ===

impl Masking {
    pub(crate) fn new(
        rules: Arc<Ruleset>,
        session: Arc<Session>,
        exchange: ExchangeId,
        flow: &Arc<Flow>,
    ) -> Self {
        Self {
            restores: rules.tokenizes(),
            rules,
            session,
            watches: match flow.workload().stance {
                Stance::Observe => true,
                Stance::Enforce | Stance::Quarantine => false,
            },
            account: Arc::new(Account::new(exchange, flow)),
            refusal: Arc::default(),
        }
    }

    /// What is looked for.
    #[must_use]
    pub fn rules(&self) -> &Arc<Ruleset> {
        &self.rules
    }

    /// Keys, and the values behind placeholders.
    #[must_use]
    pub fn session(&self) -> &Arc<Session> {
        &self.session
    }

    /// Whether anything is looked for, or put back, in texts of this direction.
    #[must_use]
    pub fn looks_at(&self, direction: Direction) -> bool {
        let restores = self.restores && direction == Direction::Answer;
        !self.rules.is_empty(direction) || restores
    }

    /// Whether answers are looked through and may be changed.
    #[must_use]
    pub fn edits_answers(&self) -> bool {
        self.looks_at(Direction::Answer) && !self.watches
    }

    /// Whether what is found is only written down, and goes on as it is.
    #[must_use]
    pub fn watches(&self) -> bool {
        self.watches
    }

    /// Writes down what was found, before anything of it goes on.
    pub fn note(&self, findings: &[Finding]) {
        if !findings.is_empty() {
            self.account.note(findings, |place| self.shown(place));
        }
    }

    /// Writes down why nothing more goes on, and says it to the agent. The first reason counts.
    pub fn refuse(&self, stop: &Stop, direction: Direction) -> Refusal {
        if let Some(finding) = stop.finding() {
            self.note(std::slice::from_ref(finding));
        }
        let refusal = || refused(stop, direction, self.account.exchange());
        self.refused_by(refusal)
    }

    /// Nothing is refused where things are only written down.
    fn refused_by(&self, refusal: impl FnOnce() -> Refusal) -> Refusal {
        match self.watches {
            true => refusal(),
            false => self.refusal.get_or_init(refusal).clone(),
        }
    }

    /// The same for a body that cannot be looked through.
    pub fn undecidable(&self, cause: enforcer_prompt::Cause, direction: Direction) -> Refusal {
        let exchange = self.account.exchange();
        let what = direction.name();
        let refusal = || Refusal {
            exchange,
            fault: Fault::Policy,
            cause: cause.code(),
            public: format!("the {what} {UNSEEN}: {cause} (exchange {exchange})"),
        };
        self.refused_by(refusal)
    }

    /// Why nothing more goes on, if that is so.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        self.refusal.get()
    }
}

impl fmt::Debug for Masking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Masking({})", self.account.exchange())
    }
}

fn refused(stop: &Stop, direction: Direction, exchange: ExchangeId) -> Refusal {
    let what = direction.name();
    // Where it stands is the agent's to know; names of places may be values themselves.
    let of = |finding: &Finding| {
        let Finding { detector, rule, .. } = finding;
        format!("the {what} holds sensitive data (`{detector}`), and rule {rule}")
    };
    let (fault, cause, public) = match stop {
        Stop::Approval(finding) => {
            let public = format!(
                "{} wants that approved; nobody can approve it yet",
                of(finding)
            );
            (Fault::Policy, Cause::ApprovalRequired.code(), public)
        }
        Stop::Block(finding) => (
            Fault::Policy,
            SENSITIVE.code(),
            format!("{} blocks that", of(finding)),
        ),
        Stop::Terminate(finding) => (
            Fault::Terminated,
            SENSITIVE.code(),
            format!("{} ends the connection for that", of(finding)),
        ),
        Stop::TooLong { .. } => {
            let public = format!("the {what} {UNSEEN}: too much of it belongs together");
            (
                Fault::Policy,
                enforcer_prompt::Cause::TooLarge.code(),
                public,
            )
        }
        Stop::Undecidable { cause, .. } => {
            let public = format!("the {what} {UNSEEN}: {cause}");
            (
                Fault::Policy,
                enforcer_prompt::Cause::Malformed.code(),
                public,
            )
        }
    };
    Refusal {
        exchange,
        fault,
        cause,
        public: format!("{public} (exchange {exchange})"),
    }
}

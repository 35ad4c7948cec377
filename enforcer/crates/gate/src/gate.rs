//! The door itself: one question in, a permit or a refusal out, and the ledger written either way.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use arc_swap::{ArcSwap, Guard};
use enforcer_audit::{Fingerprint, Ledger, Recordings};
use enforcer_cost::Estimate;
use enforcer_flow::{CgroupId, Destination, ExchangeId, Host, Protocol, Stance};
use enforcer_policy::{
    self as policy, Amount, Beyond, By, Cause, Decision, Obligation, PolicySet, Question, Request,
};

use crate::costs::{Bill, Costs, Unpaid};
use crate::endings::Endings;
use crate::spared::Spared;
use crate::{Exchange, Fault, Flow, Judge, MaskedHead, Masking, Permit, Refusal, Sessions};

mod facts;
mod mask;
mod message;
mod public;
mod record;
mod recording;
mod shown;

pub(crate) use public::reason;
use record::Objection;
use shown::Shown;

/// The cause of refusals because limits cannot be counted.
const LIMITS: &str = "limits_unavailable";
/// The cause of refusals because a rule asks for what cannot be done here.
const TERMS: &str = "terms_impossible";

/// What a protocol wants to do, as far as it has read.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// What is spoken.
    pub protocol: Protocol,
    /// Where to; the host is the verified name.
    pub destination: &'a Destination,
    /// The request, where the protocol has one. The content of its query and body never enters the ledger.
    pub request: Option<Request<'a>>,
    /// The path as it may be written, where it holds a secret itself.
    pub shown_path: Option<&'a str>,
    /// What it will take at most, where it is a request to a model and that was counted.
    pub estimate: Option<Estimate>,
    /// The credentials it carries, as keyed fingerprints.
    pub credentials: &'a [Fingerprint],
}

/// What a request's head is answered.
#[expect(
    clippy::large_enum_variant,
    reason = "the large one is the usual one, and a box would be an allocation for every exchange"
)]
pub enum Head {
    /// It depends on the body: gather it, and [`Gate::ask`] with what it says. Nothing is recorded yet.
    Body,
    /// It may pass, whatever the body says.
    Granted(Granted),
}

/// A granted exchange.
pub struct Granted {
    /// It.
    pub exchange: Exchange,
    /// The proof.
    pub permit: Permit,
    /// What is to be done beside forwarding it. None for most.
    pub terms: Option<Box<Terms>>,
}

/// What a grant depends on. Who cannot do it must not forward.
#[derive(Default)]
pub struct Terms {
    /// What is to be done with the request.
    pub obligations: Vec<Obligation>,
    /// Who rules on the answer, part by part.
    pub judge: Option<Judge>,
    /// What of the head is sent otherwise than the agent wrote it.
    pub head: Option<Box<MaskedHead>>,
}

/// The door. One per daemon, shared by every worker.
pub struct Gate {
    policy: Arc<ArcSwap<PolicySet>>,
    ledger: Arc<Ledger>,
    closing: AtomicBool,
    costs: Option<Arc<Costs>>,
    endings: Endings,
    spared: Spared,
    sessions: Option<Sessions>,
    recordings: Option<Arc<Recordings>>,
    shown: Shown,
}

impl Gate {
    /// A gate that asks the set which `policy` holds at the moment of asking, and writes to `ledger`.
    #[must_use]
    pub fn new(policy: Arc<ArcSwap<PolicySet>>, ledger: Arc<Ledger>) -> Self {
        Self {
            policy,
            ledger,
            closing: AtomicBool::new(false),
            costs: None,
            endings: Endings::default(),
            spared: Spared::default(),
            sessions: None,
            recordings: None,
            shown: Shown::default(),
        }
    }

    /// The same gate, counting what exchanges take. Without, what limits count is refused.
    #[must_use]
    pub fn with_costs(self, costs: Arc<Costs>) -> Self {
        Self {
            costs: Some(costs),
            ..self
        }
    }

    /// The same gate, masking what rules want masked. Without, what they allow is refused.
    #[must_use]
    pub fn with_sessions(self, sessions: Sessions) -> Self {
        Self {
            sessions: Some(sessions),
            ..self
        }
    }

    /// The same gate, recording what rules want recorded. Without, what they allow is refused.
    #[must_use]
    pub fn with_recordings(self, recordings: Arc<Recordings>) -> Self {
        Self {
            recordings: Some(recordings),
            ..self
        }
    }

    /// Who counts what requests take, if any rule asks for that.
    #[must_use]
    pub fn costs(&self) -> Option<&Arc<Costs>> {
        let costs = self.costs.as_ref()?;
        self.policy.load().reads_estimates().then_some(costs)
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
        if let Some(sessions) = &self.sessions {
            sessions.forget(workload);
        }
    }

    pub(crate) fn endings(&self) -> &Endings {
        &self.endings
    }

    /// Whether policy would forward this TLS flow unopened. Nothing is recorded: a yes is asked again through
    /// [`Gate::ask`], a no means that the flow is opened and judged by what is inside.
    #[must_use]
    pub fn passes_unopened(&self, flow: &Flow, destination: &Destination) -> bool {
        let Destination { host, port } = destination;
        if self.spared.holds(flow.workload(), host) {
            return true;
        }
        let question = Question::new(flow.workload(), Protocol::Tls, host, *port);
        self.policy.load().evaluate(&question).is_allow()
    }

    /// Asks policy about a request of which the head was read, and records the answer unless it depends on the body.
    ///
    /// # Errors
    /// As [`Gate::ask`].
    pub fn head(&self, flow: &Arc<Flow>, ask: Ask<'_>) -> Result<Head, Refusal> {
        self.serves(flow, ask)?;
        let set = self.policy.load();
        let decision = match set.head(&question(flow, &ask)) {
            policy::Head::Body => return Ok(Head::Body),
            policy::Head::Decided(decision) => decision,
        };
        // A signature is over the whole body, and tokens are counted in it: it must be here before anything is granted.
        if needs_body(&decision) && matches!(ask.request, Some(request) if is_unread(&request)) {
            return Ok(Head::Body);
        }
        self.decide(&set, flow, ask, decision).map(Head::Granted)
    }

    /// Asks policy and records the answer. A grant is in the kernel's hands before this returns.
    ///
    /// # Errors
    /// The refusal, already recorded: policy said no, the flow has been ended, or the grant could not be recorded.
    pub fn ask(&self, flow: &Arc<Flow>, ask: Ask<'_>) -> Result<Granted, Refusal> {
        self.serves(flow, ask)?;
        let set = self.policy.load();
        let decision = set.evaluate(&question(flow, &ask));
        self.decide(&set, flow, ask, decision)
    }

    /// Notes that a program of an observed workload does not talk to us in this host's place, or that we cannot talk to the
    /// host in the program's: from here on TLS to it passes unopened. Nothing comes of it for others.
    pub fn spare(&self, flow: &Flow, host: &Host) {
        match flow.workload().stance {
            Stance::Observe => self.spared.add(flow.workload(), host),
            Stance::Enforce | Stance::Quarantine => {}
        }
    }

    /// Whether anything is granted on this flow at all.
    fn serves(&self, flow: &Arc<Flow>, ask: Ask<'_>) -> Result<(), Refusal> {
        if let Some(cause) = flow.ending() {
            return Err(self.refuse(flow, ask, cause, "the connection has been ended"));
        }
        match flow.workload().stance {
            Stance::Enforce | Stance::Observe => Ok(()),
            Stance::Quarantine => {
                Err(self.refuse(flow, ask, "quarantined", "the workload is in quarantine"))
            }
        }
    }

    fn decide(
        &self,
        set: &Arc<PolicySet>,
        flow: &Arc<Flow>,
        ask: Ask<'_>,
        decision: Decision,
    ) -> Result<Granted, Refusal> {
        let id = ExchangeId::new();
        let (masking, head) = self.mask(set, (id, flow), &ask, &decision)?;
        let path = head
            .as_ref()
            .and_then(|head| head.path().map(str::to_owned));
        let ask = Ask {
            shown_path: ask.shown_path.or(path.as_deref()),
            ..ask
        };
        let recording = self.recording(id, &decision);
        let bill = recording.and_then(|recording| {
            let bill = self.bill(flow, &ask, &decision)?;
            Ok((bill, recording))
        });
        match (&decision.rule, bill) {
            (Some(rule), Ok((bill, recording))) if decision.is_allow() => {
                let (mut exchange, permit) = match self.grant(id, flow, ask, rule) {
                    Ok(granted) => granted,
                    Err(refusal) => {
                        bill.into_iter().for_each(|bill| bill.settle(false));
                        return Err(refusal);
                    }
                };
                let edits = masking.as_ref().is_some_and(Masking::edits_answers);
                if !decision.obligations.is_empty() {
                    exchange.owe(bill, masking, recording);
                }
                let judge = Judge::new(set, id, flow, (&ask, edits));
                Ok(Granted {
                    exchange,
                    permit,
                    terms: terms(decision.obligations, judge, head),
                })
            }
            // An allow that no rule made would be nobody's; policy never makes one, and the gate never takes one.
            (Some(_) | None, bill) => {
                let unpaid = bill.err();
                let cause = unpaid.map_or(decision.cause.code(), |unpaid| unpaid.cause);
                let objection = Objection::of(&decision, cause);
                match flow.workload().stance {
                    Stance::Observe => self.observe(id, flow, ask, &objection),
                    Stance::Enforce | Stance::Quarantine => {
                        let refusal = self.deny(id, flow, ask, (&decision, &objection));
                        let fault = unpaid.map_or(refusal.fault, |unpaid| unpaid.fault);
                        Err(Refusal { fault, ..refusal })
                    }
                }
            }
        }
    }
}

pub(crate) fn question<'a>(flow: &'a Flow, ask: &Ask<'a>) -> Question<'a> {
    let Destination { host, port } = ask.destination;
    let question = Question::new(flow.workload(), ask.protocol, host, *port);
    let request = ask.request.map(|request| Request {
        estimate: ask
            .estimate
            .map_or(request.estimate, |estimate| policy::Estimate {
                tokens: Some(estimate.tokens()),
                micro_usd: estimate.micro_usd,
            }),
        ..request
    });
    Question {
        process: Some(flow.process()),
        request,
        ..question
    }
}

fn is_unread(request: &Request<'_>) -> bool {
    match request.body {
        policy::Body::Unread => true,
        policy::Body::Later
        | policy::Body::None
        | policy::Body::Read(_)
        | policy::Body::Undecidable(_) => false,
    }
}

/// Whether the body must be here before it is granted, whatever it says.
fn needs_body(decision: &Decision) -> bool {
    decision
        .obligations
        .iter()
        .any(|obligation| match obligation {
            // What is looked for is looked for on its way.
            Obligation::Inject(_) | Obligation::Mask(_) | Obligation::Record(_) => false,
            Obligation::Limit(limit) => match (limit.amount, limit.by) {
                (Amount::Requests(_), By::Model) | (Amount::MicroUsd(_) | Amount::Tokens(_), _) => {
                    true
                }
                (Amount::Requests(_), By::All | By::Group | By::Principal | By::Workload) => false,
            },
            Obligation::Sign(_) => true,
        })
}

/// Why an exchange that rules allow is refused all the same.
#[derive(Clone, Copy)]
struct Unmet {
    cause: &'static str,
    fault: Fault,
}

impl Gate {
    /// Reserves what limits count of an allowed exchange.
    fn bill(&self, flow: &Flow, ask: &Ask<'_>, decision: &Decision) -> Result<Option<Bill>, Unmet> {
        let obligations = &decision.obligations;
        if obligations.is_empty() {
            return Ok(None);
        }
        if ask.request.is_none() {
            // A stream of bytes has no headers to fill.
            let fault = Fault::Policy;
            return Err(Unmet {
                cause: TERMS,
                fault,
            });
        }
        let counts = |obligation: &Obligation| matches!(obligation, Obligation::Limit(_));
        let Some(costs) = &self.costs else {
            let unmet = Unmet {
                cause: LIMITS,
                fault: Fault::Unavailable,
            };
            return match obligations.iter().any(counts) {
                true => Err(unmet),
                false => Ok(None),
            };
        };
        costs.reserve(flow, ask, obligations).map_err(Unmet::of)
    }
}

/// In whole seconds, not too early.
fn seconds(after: Option<Duration>) -> Option<NonZeroU32> {
    let seconds = u32::try_from(after?.as_secs()).unwrap_or(u32::MAX);
    NonZeroU32::new(seconds.saturating_add(1))
}

impl Unmet {
    fn of(unpaid: Unpaid) -> Self {
        let (cause, fault) = match unpaid {
            Unpaid::Beyond(Beyond::Deny, after) => ("over_budget", Fault::Budget(seconds(after))),
            Unpaid::Beyond(Beyond::Approval, _) => ("approval_required", Fault::Policy),
            Unpaid::Unkept => (LIMITS, Fault::Unavailable),
            Unpaid::Unknown => ("cost_unknown", Fault::Policy),
        };
        Self { cause, fault }
    }
}

fn terms(
    obligations: Vec<Obligation>,
    judge: Option<Judge>,
    head: Option<Box<MaskedHead>>,
) -> Option<Box<Terms>> {
    if obligations.is_empty() && judge.is_none() {
        return None;
    }
    Some(Box::new(Terms {
        obligations,
        judge,
        head,
    }))
}

fn fault(decision: &Decision) -> Fault {
    match decision.cause {
        Cause::Terminated => Fault::Terminated,
        Cause::AmbiguousPath
        | Cause::ApprovalRequired
        | Cause::Conflict
        | Cause::NoPolicy
        | Cause::NoRule
        | Cause::NoneApplies
        | Cause::Rule
        | Cause::Sensitive
        | Cause::Undecidable(_) => Fault::Policy,
    }
}

//! What the rules of a policy say to one question, and what all policies make of it.

use crate::check::Effect;
use crate::compile::{Policy, Rule};
use crate::evaluate::{Asked, Mismatch};
use crate::truth::Truth;
use crate::{Cause, Decision, Obligation};

/// The first rules of one policy that match, by their places in the file.
#[derive(Default)]
pub(super) struct Spoken {
    allow: Option<u32>,
    /// Whatever the body says.
    sure: Closing<u32>,
    /// Unless the body shows that they do not.
    unsure: Closing<u32>,
    /// Every rule that allows and asks for something to be done.
    obliging: Vec<u32>,
    /// Whether a rule might allow it if the path were clear.
    pub(super) unclear: bool,
    unread: Unread,
}

/// The first rule of each effect that closes.
#[derive(Clone, Copy)]
struct Closing<R> {
    approve: Option<R>,
    deny: Option<R>,
    terminate: Option<R>,
}

/// What the body could still show.
#[derive(Clone, Copy, Debug, Default)]
struct Unread {
    /// That a rule allows it.
    allow: bool,
    /// That a rule that allows it asks for something to be done.
    obliging: bool,
}

/// What all policies say together.
#[derive(Default)]
pub(super) struct Verdicts<'s> {
    allow: Option<&'s Rule>,
    sure: Closing<&'s Rule>,
    unsure: Closing<&'s Rule>,
    obligations: Vec<Obligation>,
    unread: Unread,
}

// === impl Spoken ===

impl Spoken {
    /// Tries a rule, unless one that stands before it has spoken to the same effect and it has nothing to add.
    pub(super) fn hear(&mut self, at: u32, rule: &Rule, asked: &Asked<'_, '_>) {
        let obliges = rule.obliges();
        let first = match rule.effect {
            Effect::Allow => self.allow,
            Effect::Approve => self.sure.approve,
            Effect::Deny => self.sure.deny,
            Effect::Terminate => self.sure.terminate,
        };
        if first.is_some_and(|first| first <= at) && !obliges {
            return;
        }
        let truth = match rule.judge(asked) {
            Ok(truth) => asked.settled(rule, truth),
            Err(Mismatch::AmbiguousPath) => {
                self.unclear |= rule.may_hold_otherwise(asked);
                return;
            }
            Err(_) => return,
        };
        // What cannot be understood can never be read.
        let unread = truth == Truth::Unread || asked.undecidable().is_some();
        match (rule.effect.opens(), truth) {
            (_, Truth::No) => {}
            (true, Truth::Yes) => {
                if obliges && !self.obliging.contains(&at) {
                    self.obliging.push(at);
                }
                self.allow = Some(earlier(self.allow, at));
            }
            (true, Truth::Unknown | Truth::Unread) => {
                self.unread.allow |= unread;
                self.unread.obliging |= unread && obliges;
            }
            (false, Truth::Yes) => self.sure.take(rule.effect, at),
            (false, Truth::Unknown | Truth::Unread) => match unread {
                true => self.unsure.take(rule.effect, at),
                false => self.sure.take(rule.effect, at),
            },
        }
    }
}

fn earlier(first: Option<u32>, at: u32) -> u32 {
    first.map_or(at, |first| first.min(at))
}

// === impl Closing ===

impl<R> Default for Closing<R> {
    fn default() -> Self {
        Self {
            approve: None,
            deny: None,
            terminate: None,
        }
    }
}

impl Closing<u32> {
    fn take(&mut self, effect: Effect, at: u32) {
        let first = match effect {
            Effect::Allow => return,
            Effect::Approve => &mut self.approve,
            Effect::Deny => &mut self.deny,
            Effect::Terminate => &mut self.terminate,
        };
        *first = Some(earlier(*first, at));
    }
}

impl<'s> Closing<&'s Rule> {
    fn join(&mut self, policy: &'s Policy, other: Closing<u32>) {
        let rule = |at: Option<u32>| at.and_then(|at| policy.rule(at));
        self.approve = self.approve.or(rule(other.approve));
        self.deny = self.deny.or(rule(other.deny));
        self.terminate = self.terminate.or(rule(other.terminate));
    }

    /// The rule that refuses, approval apart.
    fn refusing(&self) -> Option<&'s Rule> {
        self.terminate.or(self.deny)
    }
}

// === impl Verdicts ===

impl<'s> Verdicts<'s> {
    pub(super) fn take(&mut self, policy: &'s Policy, spoken: Spoken) {
        let Spoken {
            allow,
            sure,
            unsure,
            mut obliging,
            unclear: _,
            unread,
        } = spoken;
        self.allow = self.allow.or(allow.and_then(|at| policy.rule(at)));
        self.sure.join(policy, sure);
        self.unsure.join(policy, unsure);
        self.unread.allow |= unread.allow;
        self.unread.obliging |= unread.obliging;
        obliging.sort_unstable();
        for rule in obliging.into_iter().filter_map(|at| policy.rule(at)) {
            let more = rule.more.iter();
            self.obligations
                .extend(more.flat_map(|more| more.obligations.iter().cloned()));
        }
    }

    /// The decision by what is known, and whether the body could change it.
    pub(super) fn decide(self, asked: &Asked<'_, '_>, cause: Cause) -> (Decision, bool) {
        let Self {
            allow,
            sure,
            unsure,
            obligations,
            unread,
        } = self;
        if let Some(rule) = sure.refusing() {
            return (rule.refusal(rule.cause_of_denial(asked)), false);
        }
        let opens = allow.is_some() || unread.allow || sure.approve.is_some();
        let open = unread.obliging
            || (unread.allow && allow.is_none())
            || unsure.refusing().is_some()
            || (unsure.approve.is_some() && sure.approve.is_none());
        let undecidable = asked.undecidable().filter(|_| open && opens);
        if let Some(cause) = undecidable {
            let cause = Cause::Undecidable(cause);
            let rule = unsure.refusing().or(unsure.approve);
            let decision =
                rule.map_or_else(|| Decision::deny(cause, None), |rule| rule.refusal(cause));
            return (decision, false);
        }
        let closing = unsure.refusing().or(sure.approve).or(unsure.approve);
        let decision = match (closing, allow) {
            // Without a rule that could allow it, doubt about one that denies is no reason.
            (Some(rule), _) if opens => rule.refusal(rule.usual_cause()),
            (Some(_) | None, None) => Decision::deny(cause, None),
            (Some(rule), Some(_)) => rule.refusal(rule.usual_cause()),
            (None, Some(rule)) => allowed(rule, obligations),
        };
        (decision, open && opens)
    }
}

/// The decision of a rule that allows, with what all rules that allow it ask for.
fn allowed(rule: &Rule, all: Vec<Obligation>) -> Decision {
    let mut obligations: Vec<Obligation> = Vec::new();
    for obligation in all {
        if obligations.iter().any(|own| own.contradicts(&obligation)) {
            return Decision::deny(Cause::Conflict, Some(rule.name.clone()));
        }
        if !obligations.iter().any(|own| own.repeats(&obligation)) {
            obligations.push(obligation);
        }
    }
    Decision::allow(rule.name.clone(), obligations)
}

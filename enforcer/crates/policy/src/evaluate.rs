//! `(PolicySet, Question) → Decision`: total, deny by default, deny over approval over allow.
//!
//! Rules that allow must be seen to match; rules that deny match unless they are seen not to. So a path that can be read
//! in two ways, a request that was not read, or a body that cannot be understood never helps to pass.

use enforcer_flow::{Host, Protocol, Workload};

use crate::check::Effect;
use crate::compile::path::Path;
use crate::compile::sieve::Told;
use crate::compile::{Policy, Rule};
use crate::evaluate::spoken::{Spoken, Verdicts};
use crate::facts::Facts;
use crate::scope::Subject;
use crate::truth::Truth;
use crate::{Attributes, Body, Cause, Decision, PolicySet, Principal, Question, Request};

mod answer;
mod rule;
mod spoken;

/// What a request's head is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Head {
    /// It depends on the body: gather it, and ask [`PolicySet::evaluate`] with what it says.
    Body,
    /// Final, whatever the body says.
    Decided(Decision),
}

/// A question with its path read.
pub(crate) struct Asked<'s, 'a> {
    protocol: Protocol,
    host: &'a Host,
    port: u16,
    /// The request, if it is known.
    request: Option<Line<'a>>,
    facts: Facts<'s, 'a>,
}

struct Line<'a> {
    method: &'a str,
    path: Path<'a>,
}

/// Why a rule that speaks of a host does not match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mismatch {
    /// It is about paths, and the path can be read in more than one way.
    AmbiguousPath,
    /// It is about answers, which come later.
    Answer,
    /// A field of its `match` does not hold.
    Field(&'static str),
    /// Whether a field of its `match` holds, or what its `when` says, cannot be seen.
    Hidden(&'static str),
    /// It is about other methods.
    Method,
    /// It is about other paths.
    Path,
    /// It is about other ports.
    Port,
    /// It is about other protocols.
    Protocol,
    /// It is about requests, and the request is not known.
    Unseen,
    /// Its `when` is false.
    When,
}

// === impl PolicySet ===

impl PolicySet {
    /// Answers a question. Total: whatever is asked, there is an answer, and without a rule that allows it is no.
    ///
    /// A question about [`Protocol::Dns`] is answered as [`PolicySet::may_resolve`] does.
    #[must_use]
    pub fn evaluate(&self, question: &Question<'_>) -> Decision {
        match self.ask(question) {
            Ok((decision, _)) | Err(decision) => decision,
        }
    }

    /// Whether a rule that allows speaks of a name below this one. To say of such a name that it does not exist would say so
    /// of all names below it (<https://www.rfc-editor.org/rfc/rfc8020#section-2>).
    #[must_use]
    pub fn may_resolve_below(&self, workload: &Workload, name: &Host) -> bool {
        let subject = Subject {
            workload,
            attributes: Attributes::of(workload),
            principal: Principal::of(workload),
        };
        let (Some(mut policies), Host::Name(name)) = (self.scope(subject), name) else {
            return false;
        };
        policies.any(|policy| policy.index.leads_below(name, &policy.rules))
    }

    /// Answers a request of which the head was read, or says that the body must be read too.
    #[must_use]
    pub fn head(&self, question: &Question<'_>) -> Head {
        match self.ask(question) {
            Ok((_, true)) => Head::Body,
            Ok((decision, false)) | Err(decision) => Head::Decided(decision),
        }
    }

    /// The decision, and whether the body could change it. What is not up to rules comes as the second kind.
    fn ask(&self, question: &Question<'_>) -> Result<(Decision, bool), Decision> {
        if question.protocol == Protocol::Dns {
            return Err(self.resolves(Subject::of(question), question.host));
        }
        let Some(policies) = self.scope(Subject::of(question)) else {
            return Err(Decision::deny(Cause::NoPolicy, None));
        };
        let asked = Asked::read(question, self);
        let mut cause = Cause::NoneApplies;
        let mut verdicts = Verdicts::default();
        for policy in policies {
            let spoken = policy.judge(&asked);
            if spoken.unclear {
                cause = Cause::AmbiguousPath;
            } else if cause == Cause::NoneApplies {
                cause = Cause::NoRule;
            }
            verdicts.take(policy, spoken);
        }
        Ok(verdicts.decide(&asked, cause))
    }

    /// Whether some rule could allow this workload something at this name, at whatever port and in whatever protocol.
    /// What no rule could allow need not even be known to exist.
    #[must_use]
    pub fn may_resolve(&self, workload: &Workload, name: &Host) -> Decision {
        let subject = Subject {
            workload,
            attributes: Attributes::of(workload),
            principal: Principal::of(workload),
        };
        self.resolves(subject, name)
    }

    fn resolves(&self, subject: Subject<'_>, name: &Host) -> Decision {
        let Some(policies) = self.scope(subject) else {
            return Decision::deny(Cause::NoPolicy, None);
        };
        let mut denies = Vec::new();
        for policy in policies.clone() {
            policy.hear(name, |rule| match rule.effect {
                Effect::Allow => {}
                Effect::Approve | Effect::Deny | Effect::Terminate => denies.push(rule),
            });
        }
        let mut cause = Cause::NoneApplies;
        let (mut allow, mut deny) = (None, None);
        for policy in policies {
            cause = Cause::NoRule;
            policy.hear(name, |rule| {
                if allow.is_some() || !rule.effect.opens() {
                    return;
                }
                match denies.iter().find(|deny| rule.is_denied_by(deny)) {
                    Some(by) => deny = deny.or(Some(*by)),
                    None => allow = Some(rule),
                }
            });
        }
        match (allow, deny) {
            (Some(rule), _) => Decision::allow(rule.name.clone(), Vec::new()),
            (None, Some(rule)) => Decision::deny(rule.usual_cause(), Some(rule.name.clone())),
            (None, None) => Decision::deny(cause, None),
        }
    }
}

// === impl Subject ===

impl<'a> Subject<'a> {
    pub(crate) fn of(question: &Question<'a>) -> Self {
        Self {
            workload: question.workload,
            attributes: question.attributes,
            principal: question.principal,
        }
    }
}

// === impl Asked ===

impl<'s, 'a> Asked<'s, 'a> {
    pub(crate) fn read(question: &'s Question<'a>, set: &'s PolicySet) -> Self {
        Self::with(question, Facts::new(question, &set.automata))
    }

    fn with(question: &'s Question<'a>, facts: Facts<'s, 'a>) -> Self {
        let line = |request: Request<'a>| Line {
            method: request.method,
            path: Path::read(request.path),
        };
        Self {
            protocol: question.protocol,
            host: question.host,
            port: question.port,
            request: question.request.map(line),
            facts,
        }
    }

    /// The path, if it is known and clear.
    fn clear_path(&self) -> Option<&[u8]> {
        match &self.request.as_ref()?.path {
            Path::Ambiguous => None,
            Path::Clear(path) => Some(path),
        }
    }

    /// What rules are found by.
    fn told(&self) -> Told<'_> {
        let question = self.facts.question;
        Told {
            subject: Subject::of(question),
            request: question.request.as_ref(),
            port: question.port,
        }
    }

    /// What it comes to that a rule cannot be judged before the body is there.
    fn settled(&self, rule: &Rule, truth: Truth) -> Truth {
        let later =
            matches!(self.facts.request(), Some(request) if matches!(request.body, Body::Later));
        match (truth, later) {
            (Truth::Unread, true) => Truth::of(rule.effect.opens()),
            (truth, _) => truth,
        }
    }

    /// Why the body cannot be understood, if it was read and cannot.
    fn undecidable(&self) -> Option<enforcer_prompt::Cause> {
        match self.facts.request()?.body {
            Body::Undecidable(cause) => Some(cause),
            Body::Later | Body::None | Body::Read(_) | Body::Unread => None,
        }
    }
}

// === impl Policy ===

impl Policy {
    fn judge(&self, asked: &Asked<'_, '_>) -> Spoken {
        let mut spoken = Spoken::default();
        let (path, told) = (asked.clear_path(), asked.told());
        self.index.visit(asked.host, |rules| {
            rules.hear(path, Some(&told), |at| {
                if let Some(rule) = self.rule(at) {
                    spoken.hear(at, rule, asked);
                }
            });
        });
        spoken
    }

    /// Hands over the rules that speak of a host.
    fn hear<'s>(&'s self, host: &Host, mut take: impl FnMut(&'s Rule)) {
        self.index.visit(host, |rules| {
            rules
                .all()
                .iter()
                .filter_map(|at| self.rule(*at))
                .for_each(&mut take);
        });
    }

    /// All rules that speak of a host, in the order of the file.
    pub(crate) fn near(&self, host: &Host) -> Vec<&Rule> {
        let mut near = Vec::new();
        self.index
            .visit(host, |rules| near.extend_from_slice(rules.all()));
        near.sort_unstable();
        near.dedup();
        near.into_iter().filter_map(|at| self.rule(at)).collect()
    }

    pub(crate) fn rule(&self, at: u32) -> Option<&Rule> {
        self.rules.get(at as usize)
    }
}

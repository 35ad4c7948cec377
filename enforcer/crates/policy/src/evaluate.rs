//! `(PolicySet, Question) → Decision`: total, deny by default, deny over allow.
//!
//! Rules that allow must be seen to match; rules that deny match unless they are seen not to. So a path that can be read
//! in two ways, or a request that was not read, never helps to pass.

use enforcer_flow::{Host, Protocol, Workload};

use crate::check::Effect;
use crate::compile::path::{Path, PathPattern};
use crate::compile::{Policy, Rule};
use crate::{Answer, AnswerNeeds, Cause, Decision, PolicySet, Question, Request, Ruling};

/// What a request's head is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Head {
    /// It depends on the body: gather it, and ask [`PolicySet::evaluate`] with what it says.
    Body,
    /// Final, whatever the body says.
    Decided(Decision),
}

/// A question with its path read.
pub(crate) struct Asked<'a> {
    protocol: Protocol,
    host: &'a Host,
    port: u16,
    /// The request, if it is known.
    request: Option<Line<'a>>,
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
}

/// The first rules of one policy that match, by their places in the file.
#[derive(Default)]
struct Spoken {
    allow: Option<u32>,
    deny: Option<u32>,
    /// Whether a rule might allow it if the path were clear.
    unclear: bool,
}

// === impl PolicySet ===

impl PolicySet {
    /// Answers a question. Total: whatever is asked, there is an answer, and without a rule that allows it is no.
    ///
    /// A question about [`Protocol::Dns`] is answered as [`PolicySet::may_resolve`] does.
    #[must_use]
    pub fn evaluate(&self, question: &Question<'_>) -> Decision {
        if question.protocol == Protocol::Dns {
            return self.may_resolve(question.workload, question.host);
        }
        let Some(policies) = self.scope(question.workload) else {
            return Decision::deny(Cause::NoPolicy, None);
        };
        let asked = Asked::read(question);
        let mut cause = Cause::NoneApplies;
        let mut allow = None;
        for policy in policies {
            let spoken = policy.judge(&asked);
            if let Some(rule) = spoken.deny.and_then(|at| policy.rule(at)) {
                return Decision::deny(rule.cause_of_denial(&asked), Some(rule.name.clone()));
            }
            allow = allow.or(spoken.allow.and_then(|at| policy.rule(at)));
            if spoken.unclear {
                cause = Cause::AmbiguousPath;
            } else if cause == Cause::NoneApplies {
                cause = Cause::NoRule;
            }
        }
        match allow {
            Some(rule) => Decision::allow(rule.name.clone()),
            None => Decision::deny(cause, None),
        }
    }

    /// Whether a rule that allows speaks of a name below this one. To say of such a name that it does not exist would say so
    /// of all names below it (<https://www.rfc-editor.org/rfc/rfc8020#section-2>).
    #[must_use]
    pub fn may_resolve_below(&self, workload: &Workload, name: &Host) -> bool {
        let (Some(mut policies), Host::Name(name)) = (self.scope(workload), name) else {
            return false;
        };
        policies.any(|policy| policy.index.leads_below(name, &policy.rules))
    }

    /// Answers a request of which the head was read, or says that the body must be read too.
    #[must_use]
    pub fn head(&self, question: &Question<'_>) -> Head {
        Head::Decided(self.evaluate(question))
    }

    /// Which parts of the answer to an allowed exchange are to be asked about.
    #[must_use]
    pub fn answer_needs(&self, _question: &Question<'_>) -> AnswerNeeds {
        AnswerNeeds::NONE
    }

    /// Rules on one part of the answer to an exchange that was allowed. The question is the one that was allowed, with its
    /// body if that was read.
    #[must_use]
    pub fn evaluate_answer(&self, _question: &Question<'_>, _answer: &Answer<'_>) -> Ruling {
        Ruling::keep()
    }

    /// Whether some rule could allow this workload something at this name, at whatever port and in whatever protocol.
    /// What no rule could allow need not even be known to exist.
    #[must_use]
    pub fn may_resolve(&self, workload: &Workload, name: &Host) -> Decision {
        let Some(policies) = self.scope(workload) else {
            return Decision::deny(Cause::NoPolicy, None);
        };
        let mut denies = Vec::new();
        for policy in policies.clone() {
            policy.hear(name, Effect::Deny, |rule| denies.push(rule));
        }
        let mut cause = Cause::NoneApplies;
        let (mut allow, mut deny) = (None, None);
        for policy in policies {
            cause = Cause::NoRule;
            policy.hear(name, Effect::Allow, |rule| {
                if allow.is_some() {
                    return;
                }
                match denies.iter().find(|deny| rule.is_denied_by(deny)) {
                    Some(by) => deny = deny.or(Some(*by)),
                    None => allow = Some(rule),
                }
            });
        }
        match (allow, deny) {
            (Some(rule), _) => Decision::allow(rule.name.clone()),
            (None, Some(rule)) => Decision::deny(Cause::Rule, Some(rule.name.clone())),
            (None, None) => Decision::deny(cause, None),
        }
    }
}

// === impl Asked ===

impl<'a> Asked<'a> {
    pub(crate) fn read(question: &Question<'a>) -> Self {
        let Question {
            protocol,
            host,
            port,
            request,
            ..
        } = *question;
        let head = |request: Request<'a>| Line {
            method: request.method,
            path: Path::read(request.path),
        };
        Self {
            protocol,
            host,
            port,
            request: request.map(head),
        }
    }

    /// The path, if it is known and clear.
    fn clear_path(&self) -> Option<&[u8]> {
        match &self.request.as_ref()?.path {
            Path::Ambiguous => None,
            Path::Clear(path) => Some(path),
        }
    }
}

// === impl Policy ===

impl Policy {
    fn judge(&self, asked: &Asked<'_>) -> Spoken {
        let mut spoken = Spoken::default();
        let path = asked.clear_path();
        self.index.visit(asked.host, |rules| {
            rules.hear(path, |at| {
                if let Some(rule) = self.rule(at) {
                    spoken.hear(at, rule, asked);
                }
            });
        });
        spoken
    }

    /// Hands over the rules of one effect that speak of a host.
    fn hear<'s>(&'s self, host: &Host, effect: Effect, mut take: impl FnMut(&'s Rule)) {
        self.index.visit(host, |rules| {
            for at in rules.all() {
                match self.rule(*at) {
                    Some(rule) if rule.effect == effect => take(rule),
                    Some(_) | None => {}
                }
            }
        });
    }

    pub(crate) fn rule(&self, at: u32) -> Option<&Rule> {
        self.rules.get(at as usize)
    }
}

// === impl Spoken ===

impl Spoken {
    /// Tries a rule, unless one that stands before it has spoken to the same effect.
    fn hear(&mut self, at: u32, rule: &Rule, asked: &Asked<'_>) {
        let first = match rule.effect {
            Effect::Allow => &mut self.allow,
            Effect::Deny => &mut self.deny,
        };
        if first.is_some_and(|first| first <= at) {
            return;
        }
        match rule.matches(asked) {
            Ok(()) => *first = Some(at),
            Err(Mismatch::AmbiguousPath) => self.unclear = true,
            Err(
                Mismatch::Method
                | Mismatch::Path
                | Mismatch::Port
                | Mismatch::Protocol
                | Mismatch::Unseen,
            ) => {}
        }
    }
}

// === impl Rule ===

impl Rule {
    /// Whether the rule, its places apart, speaks of what is asked; if not, what first says so.
    pub(crate) fn matches(&self, asked: &Asked<'_>) -> Result<(), Mismatch> {
        if !self.reach.protocols.has(asked.protocol) {
            return Err(Mismatch::Protocol);
        }
        if !self.reach.has_port(asked.protocol, asked.port) {
            return Err(Mismatch::Port);
        }
        match self.effect {
            Effect::Allow => self.is_seen_to_match(asked),
            Effect::Deny => self.is_not_seen_to_differ(asked),
        }
    }

    fn is_seen_to_match(&self, asked: &Asked<'_>) -> Result<(), Mismatch> {
        if self.methods.is_none() && self.paths.is_none() {
            return Ok(());
        }
        let Line { method, path } = asked.request.as_ref().ok_or(Mismatch::Unseen)?;
        if let Some(methods) = &self.methods
            && !methods.iter().any(|own| own.is(method))
        {
            return Err(Mismatch::Method);
        }
        match (&self.paths, path) {
            (None, _) => Ok(()),
            (Some(_), Path::Ambiguous) => Err(Mismatch::AmbiguousPath),
            (Some(paths), Path::Clear(path)) => found(paths, path).ok_or(Mismatch::Path),
        }
    }

    fn is_not_seen_to_differ(&self, asked: &Asked<'_>) -> Result<(), Mismatch> {
        let Some(Line { method, path }) = &asked.request else {
            return Ok(());
        };
        if let Some(methods) = &self.methods
            && !methods.iter().any(|own| own.resembles(method))
        {
            return Err(Mismatch::Method);
        }
        match (&self.paths, path) {
            (None, _) | (Some(_), Path::Ambiguous) => Ok(()),
            (Some(paths), Path::Clear(path)) => found(paths, path)
                // Most servers serve `/a/` where they serve `/a`.
                .or_else(|| found(paths, path.strip_suffix(b"/")?))
                .ok_or(Mismatch::Path),
        }
    }

    fn cause_of_denial(&self, asked: &Asked<'_>) -> Cause {
        match (&self.paths, &asked.request) {
            (
                Some(_),
                Some(Line {
                    path: Path::Ambiguous,
                    ..
                }),
            ) => Cause::AmbiguousPath,
            (None | Some(_), _) => Cause::Rule,
        }
    }
}

fn found(paths: &[PathPattern], path: &[u8]) -> Option<()> {
    paths.iter().any(|own| own.matches(path)).then_some(())
}

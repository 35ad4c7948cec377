//! `(PolicySet, Question) → Decision`: total, deny by default, deny over approval over allow.
//!
//! Rules that allow must be seen to match; rules that deny match unless they are seen not to. So a path that can be read
//! in two ways, a request that was not read, or a body that cannot be understood never helps to pass.

use enforcer_flow::{Host, Protocol, Workload};

use crate::check::{Effect, More};
use crate::compile::path::{Path, PathPattern};
use crate::compile::{Policy, Rule};
use crate::facts::Facts;
use crate::scope::Subject;
use crate::truth::{Stance, Truth};
use crate::{Attributes, Body, Cause, Decision, Obligation, PolicySet, Question, Request};

mod answer;

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

/// The first rules of one policy that match, by their places in the file.
#[derive(Default)]
struct Spoken {
    allow: Option<u32>,
    /// Whatever the body says.
    sure: Closing<u32>,
    /// Unless the body shows that they do not.
    unsure: Closing<u32>,
    /// Every rule that allows and asks for something to be done.
    obliging: Vec<u32>,
    /// Whether a rule might allow it if the path were clear.
    unclear: bool,
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
struct Verdicts<'s> {
    allow: Option<&'s Rule>,
    sure: Closing<&'s Rule>,
    unsure: Closing<&'s Rule>,
    obligations: Vec<Obligation>,
    unread: Unread,
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
            principal: None,
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
            principal: None,
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

    pub(crate) fn rule(&self, at: u32) -> Option<&Rule> {
        self.rules.get(at as usize)
    }
}

// === impl Spoken ===

impl Spoken {
    /// Tries a rule, unless one that stands before it has spoken to the same effect and it has nothing to add.
    fn hear(&mut self, at: u32, rule: &Rule, asked: &Asked<'_, '_>) {
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
                self.unclear = true;
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
    fn take(&mut self, policy: &'s Policy, spoken: Spoken) {
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
    fn decide(self, asked: &Asked<'_, '_>, cause: Cause) -> (Decision, bool) {
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

// === impl Rule ===

impl Rule {
    /// Whether the rule, its places apart, speaks of what is asked. Where place, method or path say no, that comes as the
    /// error.
    fn judge(&self, asked: &Asked<'_, '_>) -> Result<Truth, Mismatch> {
        self.first_line(asked)?;
        let Some(more) = &self.more else {
            return Ok(Truth::Yes);
        };
        if more.answer.is_some() {
            // In TLS that is not opened no answer will be seen.
            return match asked.protocol {
                Protocol::Tls => Ok(more.judge(&asked.facts, self.stance()).and(Truth::Unknown)),
                Protocol::Dns | Protocol::Http | Protocol::Https | Protocol::Tcp => {
                    Err(Mismatch::Answer)
                }
            };
        }
        Ok(more.judge(&asked.facts, self.stance()))
    }

    /// As [`Rule::judge`], with the field that says no, for people.
    pub(crate) fn matches(&self, asked: &Asked<'_, '_>) -> Result<(), Mismatch> {
        let truth = self.judge(asked)?;
        let opens = self.effect.opens();
        match (truth, &self.more) {
            (Truth::Yes, _) | (_, None) => Ok(()),
            (Truth::Unknown | Truth::Unread, _) if !opens => Ok(()),
            (_, Some(more)) => Err(more.why_not(&asked.facts, self.stance())),
        }
    }

    pub(crate) fn stance(&self) -> Stance {
        match self.effect.opens() {
            true => Stance::Each,
            false => Stance::One,
        }
    }

    pub(crate) fn obliges(&self) -> bool {
        self.more
            .as_ref()
            .is_some_and(|more| !more.obligations.is_empty())
    }

    fn first_line(&self, asked: &Asked<'_, '_>) -> Result<(), Mismatch> {
        if !self.reach.protocols.has(asked.protocol) {
            return Err(Mismatch::Protocol);
        }
        if !self.reach.has_port(asked.protocol, asked.port) {
            return Err(Mismatch::Port);
        }
        match self.effect.opens() {
            true => self.is_seen_to_match(asked),
            false => self.is_not_seen_to_differ(asked),
        }
    }

    fn is_seen_to_match(&self, asked: &Asked<'_, '_>) -> Result<(), Mismatch> {
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

    fn is_not_seen_to_differ(&self, asked: &Asked<'_, '_>) -> Result<(), Mismatch> {
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

    fn refusal(&self, cause: Cause) -> Decision {
        Decision::deny(cause, Some(self.name.clone()))
    }

    /// The cause of what this rule refuses.
    fn usual_cause(&self) -> Cause {
        match self.effect {
            Effect::Allow | Effect::Deny => Cause::Rule,
            Effect::Approve => Cause::ApprovalRequired,
            Effect::Terminate => Cause::Terminated,
        }
    }

    fn cause_of_denial(&self, asked: &Asked<'_, '_>) -> Cause {
        match (self.effect, &self.paths, &asked.request) {
            (
                Effect::Deny,
                Some(_),
                Some(Line {
                    path: Path::Ambiguous,
                    ..
                }),
            ) => Cause::AmbiguousPath,
            (_, None | Some(_), _) => self.usual_cause(),
        }
    }
}

// === impl More ===

impl More {
    /// Whether fields and expression hold.
    fn judge(&self, facts: &Facts<'_, '_>, stance: Stance) -> Truth {
        let mut truth = Truth::Yes;
        for condition in &self.conditions {
            truth = truth.and(condition.judge(facts, stance));
            if truth == Truth::No {
                return truth;
            }
        }
        match &self.when {
            Some(when) => truth.and(when.judge(facts)),
            None => truth,
        }
    }

    /// The first that does not hold, or is not seen to.
    fn why_not(&self, facts: &Facts<'_, '_>, stance: Stance) -> Mismatch {
        for condition in &self.conditions {
            match condition.judge(facts, stance) {
                Truth::Yes => {}
                Truth::No => return Mismatch::Field(condition.key),
                Truth::Unknown | Truth::Unread => return Mismatch::Hidden(condition.key),
            }
        }
        match self.when.as_ref().map(|when| when.judge(facts)) {
            Some(Truth::No) => Mismatch::When,
            Some(Truth::Unknown | Truth::Unread | Truth::Yes) | None => Mismatch::Hidden("when"),
        }
    }
}

fn found(paths: &[PathPattern], path: &[u8]) -> Option<()> {
    paths.iter().any(|own| own.matches(path)).then_some(())
}

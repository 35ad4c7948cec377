//! Whether one rule speaks of what is asked.

use enforcer_flow::Protocol;

use crate::check::{Effect, More};
use crate::compile::Rule;
use crate::compile::path::{Path, PathPattern};
use crate::evaluate::{Asked, Line, Mismatch};
use crate::facts::Facts;
use crate::truth::{Stance, Truth};
use crate::{Cause, Decision};

// === impl Rule ===

impl Rule {
    /// Whether the rule, its places apart, speaks of what is asked. Where place, method or path say no, that comes as the
    /// error.
    pub(super) fn judge(&self, asked: &Asked<'_, '_>) -> Result<Truth, Mismatch> {
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

    /// Whether nothing beyond place, method and path is seen not to hold.
    pub(super) fn may_hold_otherwise(&self, asked: &Asked<'_, '_>) -> bool {
        let more = self.more.as_ref();
        more.is_none_or(|more| more.judge(&asked.facts, self.stance()) != Truth::No)
    }

    pub(super) fn first_line(&self, asked: &Asked<'_, '_>) -> Result<(), Mismatch> {
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

    pub(super) fn refusal(&self, cause: Cause) -> Decision {
        Decision::deny(cause, Some(self.name.clone()))
    }

    /// The cause of what this rule refuses.
    pub(super) fn usual_cause(&self) -> Cause {
        match self.effect {
            Effect::Allow | Effect::Deny => Cause::Rule,
            Effect::Approve => Cause::ApprovalRequired,
            Effect::Terminate => Cause::Terminated,
        }
    }

    pub(super) fn cause_of_denial(&self, asked: &Asked<'_, '_>) -> Cause {
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
    pub(super) fn judge(&self, facts: &Facts<'_, '_>, stance: Stance) -> Truth {
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

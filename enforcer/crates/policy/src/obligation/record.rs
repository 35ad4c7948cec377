//! What of an exchange is kept, out of a rule's text.

use std::fmt;

use crate::condition::range::{Unit, number};
use crate::diagnostic::{Findings, excerpt};
use crate::parse::fields::{self, Fields, one_of};
use crate::parse::tree::{Entry, Value};
use crate::{Obligation, RuleRef};

/// How much of a body is kept where a rule does not say.
const LIMIT: u64 = 1 << 20;
/// The most that a rule may want kept of a body.
const MAX_LIMIT: u64 = 64 << 20;

/// Keep what went out and what came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The rule that asks for it.
    pub rule: RuleRef,
    /// The request, as it went out.
    pub request: bool,
    /// The answer, as the agent got it.
    pub answer: bool,
    /// How much of each body; the rest is counted.
    pub limit: u64,
}

// === impl Record ===

impl Record {
    /// What all of these want together; none when none of them is about recording.
    #[must_use]
    pub fn of(obligations: &[Obligation]) -> Option<Self> {
        let mut all = obligations
            .iter()
            .filter_map(|obligation| match obligation {
                Obligation::Record(record) => Some(&**record),
                Obligation::Inject(_)
                | Obligation::Limit(_)
                | Obligation::Mask(_)
                | Obligation::Sign(_) => None,
            });
        let first = all.next()?.clone();
        Some(all.fold(first, |own, other| Self {
            rule: own.rule,
            request: own.request || other.request,
            answer: own.answer || other.answer,
            limit: own.limit.max(other.limit),
        }))
    }

    /// Whether nothing of the other is missing in this one.
    pub(super) fn covers(&self, other: &Self) -> bool {
        self.request >= other.request && self.answer >= other.answer && self.limit >= other.limit
    }
}

/// What is kept, in words that can follow "with".
impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match (self.request, self.answer) {
            (true, false) => "the request",
            (false, true) => "the answer",
            (true, true) | (false, false) => "request and answer",
        };
        write!(f, "{what} recorded, at most {} bytes of a body", self.limit)
    }
}

/// Reads `true`, or a map of what is kept.
pub(super) fn read(entry: Entry<'_>, rule: &RuleRef, findings: &mut Findings) -> Option<Record> {
    let spot = entry.spot;
    let mut record = Record {
        rule: rule.clone(),
        request: true,
        answer: true,
        limit: LIMIT,
    };
    if !matches!(entry.value.value, Value::Map(_) | Value::List(_)) {
        let kept = flag(entry, findings)?;
        if !kept {
            let message = "`record: false` keeps nothing".to_owned();
            findings.error(spot, message, Some("leave it out".to_owned()));
        }
        return kept.then_some(record);
    }
    let known = ["request", "answer", "limit"];
    let mut map = Fields::open(entry.into_value(), "`record`", &known, findings)?;
    if let Some(entry) = map.take("request") {
        record.request = flag(entry, findings)?;
    }
    if let Some(entry) = map.take("answer") {
        record.answer = flag(entry, findings)?;
    }
    if let Some(entry) = map.take("limit") {
        record.limit = limit(entry, findings)?;
    }
    if !record.request && !record.answer {
        let message = "`record` of neither request nor answer keeps nothing".to_owned();
        findings.error(spot, message, Some("leave it out".to_owned()));
        return None;
    }
    Some(record)
}

fn flag(entry: Entry<'_>, findings: &mut Findings) -> Option<bool> {
    let text = fields::text(entry, findings)?;
    let words = [("true", true), ("false", false)];
    one_of(&text, "`true` or `false`", &words, findings)
}

fn limit(entry: Entry<'_>, findings: &mut Findings) -> Option<u64> {
    let text = fields::text(entry, findings)?;
    let value = match number(&text.text, Unit::Bytes) {
        Ok(value) => value,
        Err(fault) => {
            findings.fault(text.spot, fault);
            return None;
        }
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "numbers here are not negative, and what is beyond 2^64 is refused"
    )]
    let value = value as u64;
    if value == 0 || value > MAX_LIMIT {
        let message = format!("`{}` is no limit for recordings", excerpt(&text.text));
        let hint = "write a size from 1 B to 64 MiB".to_owned();
        findings.error(text.spot, message, Some(hint));
        return None;
    }
    Some(value)
}

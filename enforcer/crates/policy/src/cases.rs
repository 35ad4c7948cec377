//! Case tables: questions beside a policy with the answers its author expects.
//!
//! `NAME.cases.yaml` stands beside `NAME.yaml`. Each case asks one thing in one line, as in
//! `POST https://api.example.com/v1/items`, and names the verdict and, if it matters, the rule or the cause.

use std::sync::Arc;

use enforcer_flow::{CgroupId, Workload};

use crate::cases::ask::Ask;
use crate::diagnostic::{Fault, Findings, Spot, excerpt};
use crate::document::Text;
use crate::parse::fields::{self, Fields, listed};
use crate::parse::nearest::did_you_mean;
use crate::parse::tree::{self, Node, Value};
use crate::{
    Cause, Decision, Diagnostic, Explanation, PolicySet, Position, Severity, Source, Verdict,
};

mod ask;

/// A table of cases.
#[derive(Debug)]
pub struct Cases {
    file: Arc<str>,
    cases: Vec<Case>,
}

/// What came of one case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Where the case stands.
    pub at: Position,
    /// What was asked.
    pub ask: String,
    /// The answer, and why.
    pub explanation: Explanation,
    /// How the answer differs from what was expected; none when it does not.
    pub failure: Option<Diagnostic>,
}

#[derive(Debug)]
struct Case {
    at: Position,
    text: String,
    ask: Ask,
    /// The workload that asks; without one, a workload whose label names the policy.
    workload: Option<Arc<str>>,
    expected: Expected,
}

#[derive(Debug)]
struct Expected {
    verdict: Verdict,
    /// The deciding rule's id.
    rule: Option<String>,
    cause: Option<Cause>,
}

const TABLE_KEYS: [&str; 1] = ["cases"];
const CASE_KEYS: [&str; 5] = ["ask", "expect", "rule", "cause", "workload"];

// === impl Cases ===

impl Cases {
    /// Reads a table.
    ///
    /// # Errors
    /// All findings, when there is any.
    pub fn parse(source: Source<'_>) -> Result<Self, Vec<Diagnostic>> {
        let mut findings = Findings::new(source.name);
        let cases = read_table(source.text, &mut findings);
        let found = findings.into_sorted();
        if found.is_empty() {
            let file = source.name.into();
            Ok(Self { file, cases })
        } else {
            Err(found)
        }
    }

    /// How many cases there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.cases.len()
    }

    /// Asks a set every case on behalf of the policy of this name.
    #[must_use]
    pub fn run(&self, set: &PolicySet, policy: &str) -> Vec<Outcome> {
        let ask = |case| self.ask(case, set, policy);
        self.cases.iter().map(ask).collect()
    }

    fn ask(&self, case: &Case, set: &PolicySet, policy: &str) -> Outcome {
        let Case {
            at,
            text,
            ask,
            workload,
            expected,
        } = case;
        let workload = Workload {
            name: workload.clone().unwrap_or_else(|| "case".into()),
            policy: workload.is_none().then(|| policy.into()),
            cgroup: CgroupId(0),
            path: "/".into(),
            attributes: Default::default(),
            stance: enforcer_flow::Stance::default(),
        };
        let explanation = set.explain(&ask.question(&workload));
        let failure = expected
            .differs(&explanation.decision)
            .map(|expected| Diagnostic {
                severity: Severity::Error,
                file: Arc::clone(&self.file),
                at: Some(*at),
                text: excerpt(text),
                message: format!(
                    "`{}`: expected {expected}, got {}",
                    excerpt(text),
                    explanation.decision
                ),
                hint: None,
            });
        Outcome {
            at: *at,
            ask: text.clone(),
            explanation,
            failure,
        }
    }
}

// === impl Expected ===

impl Expected {
    /// What was expected, in words, if the decision is not that.
    fn differs(&self, decision: &Decision) -> Option<String> {
        let Self {
            verdict,
            rule,
            cause,
        } = self;
        let same_rule = match rule {
            Some(id) => decision.rule.as_ref().is_some_and(|rule| rule.id() == id),
            None => true,
        };
        let same = *verdict == decision.verdict
            && same_rule
            && cause.is_none_or(|cause| cause == decision.cause);
        if same {
            return None;
        }
        let rule = rule.as_ref().map(|id| format!(" by rule `{id}`"));
        let cause = cause.map(|cause| format!(" with cause `{}`", cause.code()));
        Some(format!(
            "{verdict}{}{}",
            rule.unwrap_or_default(),
            cause.unwrap_or_default()
        ))
    }
}

fn read_table(text: &str, findings: &mut Findings) -> Vec<Case> {
    let entry = tree::read(text, findings)
        .and_then(|node| Fields::open(node, "a table of cases", &TABLE_KEYS, findings))
        .and_then(|mut fields| fields.require("cases", findings));
    let Some(entry) = entry else {
        return Vec::new();
    };
    match entry.value.value {
        Value::List(nodes) if !nodes.is_empty() => nodes
            .into_iter()
            .filter_map(|node| read_case(node, findings))
            .collect(),
        Value::List(_) | Value::Map(_) | Value::Null | Value::Text(_) => {
            let message = "`cases` takes a list of at least one case".to_owned();
            let hint = "begin each case with `- ask:`".to_owned();
            findings.error(entry.spot, message, Some(hint));
            Vec::new()
        }
    }
}

fn read_case(node: Node<'_>, findings: &mut Findings) -> Option<Case> {
    let mut fields = Fields::open(node, "a case", &CASE_KEYS, findings)?;
    let at = fields.spot.at;
    let ask = fields.require("ask", findings);
    let ask = ask.and_then(|entry| fields::text(entry, findings));
    let expect = fields.require("expect", findings);
    let verdict = expect
        .and_then(|entry| fields::text(entry, findings))
        .and_then(|text| one_of(&text, "a verdict", &VERDICTS, findings));
    let mut optional = |name| {
        let entry = fields.take(name)?;
        fields::text(entry, findings)
    };
    let (rule, cause, workload) = (optional("rule"), optional("cause"), optional("workload"));
    let causes: Vec<_> = Cause::all().map(|cause| (cause.code(), cause)).collect();
    let cause = cause.map(|text| one_of(&text, "a cause", &causes, findings));
    let text = ask?;
    let parsed = match Ask::parse(&text.text) {
        Ok(ask) => ask,
        Err(fault) => {
            findings.fault(text.spot, fault);
            return None;
        }
    };
    Some(Case {
        at,
        text: text.text.into_owned(),
        ask: parsed,
        workload: workload.map(|name| (*name.text).into()),
        expected: Expected {
            verdict: verdict?,
            rule: rule.map(|id| id.text.into_owned()),
            cause: match cause {
                Some(cause) => Some(cause?),
                None => None,
            },
        },
    })
}

const VERDICTS: [(&str, Verdict); 2] = [("allow", Verdict::Allow), ("deny", Verdict::Deny)];

/// The value whose word stands there.
fn one_of<T: Copy>(
    text: &Text<'_>,
    what: &str,
    known: &[(&str, T)],
    findings: &mut Findings,
) -> Option<T> {
    let found = known.iter().find(|(word, _)| *word == text.text);
    if let Some((_, value)) = found {
        return Some(*value);
    }
    let words: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
    let fault = Fault::new(format!("`{}` is not {what}", excerpt(&text.text)));
    let fault = fault.with_hint(match did_you_mean(&text.text, &words) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("write one of {}", listed(&words)),
    });
    let spot: Spot<'_> = text.spot;
    findings.fault(spot, fault);
    None
}

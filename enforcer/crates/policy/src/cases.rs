//! Case tables: questions beside a policy with the answers its author expects.
//!
//! `NAME.cases.yaml` stands beside `NAME.yaml`. Each case asks one thing in one line, as in
//! `POST https://api.example.com/v1/items`, and names the verdict and, if it matters, the rule or the cause.

use std::fmt;
use std::sync::Arc;

use serde_json::Value as Json;

use crate::condition::schema::to_json;
use crate::diagnostic::{Findings, excerpt};
use crate::inquiry::{Inquiry, ReadFile, Reply};
use crate::parse::fields::{self, Fields, one_of};
use crate::parse::tree::{self, Node, Value};
use crate::{
    Action, Cause, Decision, Diagnostic, Explanation, PolicySet, Position, Severity, Source,
    Verdict,
};

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
    inquiry: Inquiry,
    expected: Expected,
}

#[derive(Debug)]
struct Expected {
    outcome: Expectation,
    /// The deciding rule's id.
    rule: Option<String>,
    cause: Option<Cause>,
    /// What masks are to make of what is said.
    masked: Option<Masked>,
}

/// What a text is to be, written as it is or as YAML.
#[derive(Debug)]
enum Masked {
    Json(Json),
    Text(String),
}

/// What is to become of a request, or of a part of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expectation {
    Action(Action),
    Verdict(Verdict),
}

const TABLE_KEYS: [&str; 1] = ["cases"];
const CASE_KEYS: [&str; 4] = ["expect", "rule", "cause", "masked"];

// === impl Cases ===

impl Cases {
    /// Reads a table.
    ///
    /// # Errors
    /// All findings, when there is any.
    pub fn parse(source: Source<'_>) -> Result<Self, Vec<Diagnostic>> {
        Self::parse_with(source, &|_| Err("there are no files here".to_owned()))
    }

    /// Reads a table whose cases may name files.
    ///
    /// # Errors
    /// All findings, when there is any.
    pub fn parse_with(source: Source<'_>, read: ReadFile<'_>) -> Result<Self, Vec<Diagnostic>> {
        let mut findings = Findings::new(source.name);
        let cases = read_table(source.text, read, &mut findings);
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
            inquiry,
            expected,
        } = case;
        let text = inquiry.text();
        let reply = inquiry.ask(set, Some(policy));
        let failure = expected.differs(&reply).map(|(expected, got)| {
            let decision = &reply.explanation.decision;
            let got = match (reply.action, got) {
                (_, Some(masked)) => masked,
                (None, None) => decision.to_string(),
                (Some(action), None) => said_of(action, decision),
            };
            Diagnostic {
                severity: Severity::Error,
                file: Arc::clone(&self.file),
                at: Some(*at),
                text: excerpt(text),
                message: format!("`{}`: expected {expected}, got {got}", excerpt(text)),
                hint: None,
            }
        });
        Outcome {
            at: *at,
            ask: text.to_owned(),
            explanation: reply.explanation,
            failure,
        }
    }
}

/// An action and the rule or cause behind it.
fn said_of(action: Action, decision: &Decision) -> String {
    match (&decision.rule, action) {
        (Some(rule), _) => format!("{} ({rule}: {})", action.as_str(), decision.cause),
        (None, Action::Keep) => action.as_str().to_owned(),
        (None, Action::Block | Action::Flag | Action::Strip) => {
            format!("{} ({})", action.as_str(), decision.cause)
        }
    }
}

// === impl Expected ===

impl Expected {
    /// What was expected, in words, if the decision is not that; and what was got, if it is a text.
    fn differs(&self, reply: &Reply) -> Option<(String, Option<String>)> {
        let Self {
            outcome,
            rule,
            cause,
            masked,
        } = self;
        let decision = &reply.explanation.decision;
        let (same_outcome, word) = match (outcome, reply.action) {
            (Expectation::Action(own), action) => (action == Some(*own), own.as_str()),
            (Expectation::Verdict(own), None) => (*own == decision.verdict, own.as_str()),
            (Expectation::Verdict(own), Some(_)) => (false, own.as_str()),
        };
        let same_rule = match rule {
            Some(id) => decision.rule.as_ref().is_some_and(|rule| rule.id() == id),
            None => true,
        };
        let same = same_outcome && same_rule && cause.is_none_or(|cause| cause == decision.cause);
        if same {
            let masked = masked.as_ref()?;
            let got = reply.masked.as_deref();
            let got = || got.map_or("nothing masked".to_owned(), |got| format!("`{got}`"));
            return (!masked.is(reply.masked.as_deref()))
                .then(|| (masked.to_string(), Some(got())));
        }
        let rule = rule.as_ref().map(|id| format!(" by rule `{id}`"));
        let cause = cause.map(|cause| format!(" with cause `{}`", cause.code()));
        let expected = format!(
            "{word}{}{}",
            rule.unwrap_or_default(),
            cause.unwrap_or_default()
        );
        Some((expected, None))
    }
}

fn read_table(text: &str, read: ReadFile<'_>, findings: &mut Findings) -> Vec<Case> {
    let entry = tree::read(text, findings)
        .and_then(|node| Fields::open(node, "a table of cases", &TABLE_KEYS, findings))
        .and_then(|mut fields| fields.require("cases", findings));
    let Some(entry) = entry else {
        return Vec::new();
    };
    match entry.value.value {
        Value::List(nodes) if !nodes.is_empty() => nodes
            .into_iter()
            .filter_map(|node| read_case(node, read, findings))
            .collect(),
        Value::List(_) | Value::Map(_) | Value::Null | Value::Text(_) => {
            let message = "`cases` takes a list of at least one case".to_owned();
            let hint = "begin each case with `- ask:`".to_owned();
            findings.error(entry.spot, message, Some(hint));
            Vec::new()
        }
    }
}

fn read_case(node: Node<'_>, read: ReadFile<'_>, findings: &mut Findings) -> Option<Case> {
    let known: Vec<&str> = Inquiry::KEYS.into_iter().chain(CASE_KEYS).collect();
    let mut fields = Fields::open(node, "a case", &known, findings)?;
    let at = fields.spot.at;
    let inquiry = Inquiry::read(&mut fields, read, findings);
    let outcome = fields
        .require("expect", findings)
        .and_then(|entry| fields::text(entry, findings))
        .and_then(|text| one_of(&text, "a verdict", &OUTCOMES, findings));
    let mut optional = |name| {
        let entry = fields.take(name)?;
        fields::text(entry, findings)
    };
    let (rule, cause) = (optional("rule"), optional("cause"));
    let masked = fields.take("masked").map(|entry| match &entry.value.value {
        Value::Text(text) => Masked::Text(text.clone().into_owned()),
        Value::List(_) | Value::Map(_) | Value::Null => Masked::Json(to_json(&entry.value)),
    });
    let causes: Vec<_> = Cause::all().map(|cause| (cause.code(), cause)).collect();
    let cause = cause.map(|text| one_of(&text, "a cause", &causes, findings));
    Some(Case {
        at,
        inquiry: inquiry?,
        expected: Expected {
            outcome: outcome?,
            rule: rule.map(|id| id.text.into_owned()),
            cause: match cause {
                Some(cause) => Some(cause?),
                None => None,
            },
            masked,
        },
    })
}

// === impl Masked ===

impl Masked {
    fn is(&self, got: Option<&str>) -> bool {
        match (self, got) {
            (_, None) => false,
            (Self::Text(text), Some(got)) => text == got,
            (Self::Json(json), Some(got)) => {
                serde_json::from_str(got).is_ok_and(|got: Json| *json == got)
            }
        }
    }
}

impl fmt::Display for Masked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(json) => write!(f, "{json}"),
            Self::Text(text) => write!(f, "`{text}`"),
        }
    }
}

const OUTCOMES: [(&str, Expectation); 6] = [
    ("allow", Expectation::Verdict(Verdict::Allow)),
    ("deny", Expectation::Verdict(Verdict::Deny)),
    ("block", Expectation::Action(Action::Block)),
    ("flag", Expectation::Action(Action::Flag)),
    ("keep", Expectation::Action(Action::Keep)),
    ("strip", Expectation::Action(Action::Strip)),
];

//! A question written down: one line for what is asked, and beside it whatever else is known. Cases and explanations are
//! asked with these.

use std::sync::Arc;

use enforcer_flow::{CgroupId, Workload};
use enforcer_prompt as prompt;
use http::HeaderMap;

use crate::diagnostic::Findings;
use crate::inquiry::answer::Answered;
use crate::inquiry::ask::Ask;
use crate::inquiry::parts::{read_body, read_estimate, read_file, read_headers, texts_of_map};
use crate::parse::fields::{self, Fields};
use crate::parse::tree::{self, Entry, Value};
use crate::{
    Action, Answer, Attributes, Body, Decision, Diagnostic, Estimate, Explanation, Head, Labels,
    PolicySet, Principal, Question, Read, Ruling, Source, Verdict,
};

mod answer;
mod ask;
mod masked;
mod parts;

/// A question, and perhaps a part of the answer to it.
#[derive(Debug)]
pub struct Inquiry {
    text: String,
    ask: Ask,
    workload: Asking,
    principal: Option<Person>,
    headers: HeaderMap,
    body: Option<Vec<u8>>,
    estimate: Estimate,
    answer: Option<Answered>,
}

/// What an inquiry is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The decision of the request, or of the part of the answer, with the rules that had to do with it.
    pub explanation: Explanation,
    /// What becomes of the part of the answer, if one was asked about.
    pub action: Option<Action>,
    /// What masks make of the body (or of path and query), or of the answer's text, where rules want something masked.
    pub masked: Option<String>,
}

/// Reads a file that an inquiry names.
pub type ReadFile<'r> = &'r dyn Fn(&str) -> Result<Vec<u8>, String>;

/// Who asks.
#[derive(Debug, Default)]
struct Asking {
    name: Option<Arc<str>>,
    image: Option<String>,
    container: Option<String>,
    pod: Option<String>,
    namespace: Option<String>,
    unit: Option<String>,
    labels: Labels,
}

#[derive(Debug)]
struct Person {
    name: String,
    groups: Vec<Arc<str>>,
}

// === impl Inquiry ===

impl Inquiry {
    /// The keys of an inquiry.
    pub(crate) const KEYS: [&'static str; 8] = [
        "ask",
        "workload",
        "principal",
        "headers",
        "body",
        "body_file",
        "estimate",
        "answer",
    ];

    /// Reads an inquiry that stands alone in a file.
    ///
    /// # Errors
    /// All findings, when there is any.
    pub fn parse(source: Source<'_>, read: ReadFile<'_>) -> Result<Self, Vec<Diagnostic>> {
        let mut findings = Findings::new(source.name);
        let inquiry = tree::read(source.text, &mut findings)
            .and_then(|node| Fields::open(node, "a question", &Self::KEYS, &mut findings))
            .and_then(|mut fields| Self::read(&mut fields, read, &mut findings));
        let found = findings.into_sorted();
        match inquiry {
            Some(inquiry) if found.is_empty() => Ok(inquiry),
            Some(_) | None => Err(found),
        }
    }

    /// An inquiry of one line.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn of_line(line: &str) -> Result<Self, Diagnostic> {
        let ask = Ask::parse(line).map_err(|fault| {
            let finding = Diagnostic::of_file(crate::Severity::Error, "question", fault.message);
            match fault.hint {
                Some(hint) => finding.with_hint(hint),
                None => finding,
            }
        })?;
        Ok(Self {
            text: line.to_owned(),
            ask,
            workload: Asking::default(),
            principal: None,
            headers: HeaderMap::new(),
            body: None,
            estimate: Estimate::default(),
            answer: None,
        })
    }

    /// What is asked, in one line.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it says which workload asks.
    #[must_use]
    pub fn names_workload(&self) -> bool {
        self.workload.name.is_some()
    }

    /// Whether rules read the body of a request that has one, of which nothing is written here.
    #[must_use]
    pub fn depends_on_body(&self, set: &PolicySet, policy: Option<&str>) -> bool {
        let bodiless = ["DELETE", "GET", "HEAD", "OPTIONS", "TRACE"];
        self.body.is_none()
            && self.with_question(policy, |question| {
                let brings = |method: &str| !bodiless.contains(&method);
                let unread = question.with_body(Body::Unread);
                question
                    .request
                    .is_some_and(|request| brings(request.method))
                    && matches!(set.head(&unread), Head::Body)
            })
    }

    /// The same on behalf of a workload of this name.
    #[must_use]
    pub fn on_behalf_of(mut self, workload: &str) -> Self {
        self.workload.name = Some(workload.into());
        self
    }

    /// Takes the keys of an inquiry out of a map.
    pub(crate) fn read(
        fields: &mut Fields<'_>,
        read: ReadFile<'_>,
        findings: &mut Findings,
    ) -> Option<Self> {
        let ask = fields.require("ask", findings);
        let workload = fields.take("workload");
        let workload = workload.map(|entry| Asking::read(entry, findings));
        let principal = fields.take("principal");
        let principal = principal.and_then(|entry| Person::read(entry, findings));
        let headers = fields.take("headers");
        let mut headers = headers
            .map(|entry| read_headers(entry, findings))
            .unwrap_or_default();
        let (inline, file) = (fields.take("body"), fields.take("body_file"));
        let body = inline.map(|entry| read_body(&entry, &mut headers));
        let body = body.or(file.and_then(|entry| read_file(entry, read, &mut headers, findings)));
        let estimate = fields.take("estimate");
        let estimate = estimate.map(|entry| read_estimate(entry, findings));
        let answer = fields.take("answer");
        let answer = answer.and_then(|entry| Answered::read(entry, findings));
        let text = fields::text(ask?, findings)?;
        let parsed = match Ask::parse(&text.text) {
            Ok(ask) => ask,
            Err(fault) => {
                findings.fault(text.spot, fault);
                return None;
            }
        };
        Some(Self {
            text: text.text.into_owned(),
            ask: parsed,
            workload: workload.unwrap_or_default(),
            principal,
            headers,
            body,
            estimate: estimate.unwrap_or_default(),
            answer,
        })
    }

    /// Asks a set. Without a workload of its own the question is of one whose label names `policy`.
    #[must_use]
    pub fn ask(&self, set: &PolicySet, policy: Option<&str>) -> Reply {
        self.with_question(policy, |question| {
            let decision = set.evaluate(question);
            let rules = set.ruleset(&decision.obligations).unwrap_or_default();
            match &self.answer {
                None => {
                    let head = (&self.headers, self.body.as_deref());
                    let masked = rules.and_then(|rules| masked::request(&rules, question, head));
                    let mut explanation = set.explain(question);
                    let masked = masked.and_then(|masked| {
                        let refuse =
                            |stop| explanation.decision = masked::refusal(&stop, &decision);
                        masked.map_err(refuse).ok()
                    });
                    Reply {
                        explanation,
                        action: None,
                        masked,
                    }
                }
                Some(answered) => answered.with(|answer| {
                    let ruling = set.evaluate_answer(question, answer);
                    let mut explanation = set.explain_answer(question, answer, &ruling);
                    let mut action = ruling.action;
                    let masked = rules.and_then(|rules| masked::answer(&rules, answer));
                    let masked = masked
                        .filter(|_| action != Action::Block)
                        .and_then(|masked| {
                            let refuse = |stop| {
                                explanation.decision = masked::refusal(&stop, &decision);
                                action = Action::Block;
                            };
                            masked.map_err(refuse).ok()
                        });
                    Reply {
                        explanation,
                        action: Some(action),
                        masked,
                    }
                }),
            }
        })
    }

    fn with_question<T>(&self, policy: Option<&str>, ask: impl FnOnce(&Question<'_>) -> T) -> T {
        let asking = &self.workload;
        let workload = Workload {
            name: asking.name.clone().unwrap_or_else(|| "case".into()),
            policy: policy.filter(|_| asking.name.is_none()).map(Into::into),
            cgroup: CgroupId(0),
            path: "/".into(),
            attributes: Default::default(),
            stance: enforcer_flow::Stance::default(),
        };
        let mut question = self.ask.question(&workload);
        question.attributes = Attributes {
            image: asking.image.as_deref(),
            container: asking.container.as_deref(),
            pod: asking.pod.as_deref(),
            namespace: asking.namespace.as_deref(),
            unit: asking.unit.as_deref(),
            pod_labels: None,
            labels: Some(&asking.labels),
        };
        question.principal = self.principal.as_ref().map(|person| Principal {
            name: &person.name,
            groups: &person.groups,
        });
        let Some(request) = &mut question.request else {
            return ask(&question);
        };
        request.headers = Some(&self.headers);
        request.estimate = self.estimate;
        let bytes = self.body.as_deref().unwrap_or_default();
        request.length = Some(bytes.len() as u64);
        if self.body.is_none() {
            request.body = Body::None;
            return ask(&question);
        }
        with_body(question, &self.headers, bytes, ask)
    }
}

/// Asks a question with what its body says; of what the head says, the headers that tell how the body is written.
pub fn with_body<T>(
    question: Question<'_>,
    headers: &HeaderMap,
    bytes: &[u8],
    ask: impl FnOnce(&Question<'_>) -> T,
) -> T {
    let shape = shape(&question, headers);
    let limits = prompt::Limits::default();
    let cause = match prompt::Body::parse(&shape, bytes, &limits) {
        Ok(body) => match body.content(&shape, &limits) {
            Ok(content) => {
                return ask(&question.with_body(Body::Read(Read {
                    bytes: bytes.len() as u64,
                    shape: &shape,
                    body: &body,
                    content: &content,
                })));
            }
            Err(undecidable) => undecidable.cause,
        },
        Err(undecidable) => undecidable.cause,
    };
    ask(&question.with_body(Body::Undecidable(cause)))
}

fn shape(question: &Question<'_>, headers: &HeaderMap) -> prompt::Shape {
    let host = question.host.to_string();
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let mcp = ["mcp-session-id", "mcp-protocol-version", "mcp-method"];
    let request = question.request;
    prompt::recognise(&prompt::Head {
        host: &host,
        method: request.map_or("", |request| request.method),
        path: request.map_or("", |request| request.path),
        query: request.and_then(|request| request.query),
        content_type: header("content-type"),
        mcp: mcp.iter().any(|name| headers.contains_key(*name)),
        websocket: header("upgrade").is_some_and(|to| to.eq_ignore_ascii_case("websocket")),
    })
}

// === impl Asking ===

impl Asking {
    /// Reads a name alone, or a map.
    fn read(entry: Entry<'_>, findings: &mut Findings) -> Self {
        let mut asking = Self::default();
        if !matches!(entry.value.value, Value::Map(_)) {
            let name = fields::text(entry, findings);
            asking.name = name.map(|name| (*name.text).into());
            return asking;
        }
        let known = [
            "name",
            "image",
            "container",
            "pod",
            "namespace",
            "unit",
            "labels",
        ];
        let Some(mut map) = Fields::open(entry.into_value(), "`workload`", &known, findings) else {
            return asking;
        };
        let labels = map.take("labels");
        let labels = labels.map(|entry| texts_of_map(entry, "`labels`", findings));
        asking.labels = labels
            .into_iter()
            .flatten()
            .map(|(name, _, value)| (name.into(), value.into()))
            .collect();
        let mut text = |key| {
            let text = fields::text(map.take(key)?, findings)?;
            Some(text.text.into_owned())
        };
        asking.name = Some(text("name").unwrap_or_else(|| "case".to_owned()).into());
        asking.image = text("image");
        asking.container = text("container");
        asking.pod = text("pod");
        asking.namespace = text("namespace");
        asking.unit = text("unit");
        asking
    }
}

// === impl Person ===

impl Person {
    /// Reads a name alone, or a map.
    fn read(entry: Entry<'_>, findings: &mut Findings) -> Option<Self> {
        if !matches!(entry.value.value, Value::Map(_)) {
            let name = fields::text(entry, findings)?;
            return Some(Self {
                name: name.text.into_owned(),
                groups: Vec::new(),
            });
        }
        let known = ["name", "groups"];
        let mut map = Fields::open(entry.into_value(), "`principal`", &known, findings)?;
        let name = map.require("name", findings)?;
        let groups = map
            .take("groups")
            .map(|entry| fields::texts(entry, findings).values);
        Some(Self {
            name: fields::text(name, findings)?.text.into_owned(),
            groups: groups
                .into_iter()
                .flatten()
                .map(|group| (*group.text).into())
                .collect(),
        })
    }
}

// === impl PolicySet ===

impl PolicySet {
    fn explain_answer(
        &self,
        question: &Question<'_>,
        answer: &Answer<'_>,
        ruling: &Ruling,
    ) -> Explanation {
        let Ruling {
            action,
            cause,
            rule,
        } = ruling.clone();
        let mut explanation = self.explain_part(question, answer);
        explanation.decision = Decision {
            verdict: match action {
                Action::Flag | Action::Keep => Verdict::Allow,
                Action::Block | Action::Strip => Verdict::Deny,
            },
            cause,
            rule,
            obligations: Vec::new(),
        };
        explanation
    }
}

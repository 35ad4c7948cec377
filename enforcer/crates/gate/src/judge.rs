//! Who rules on an answer, part by part, and writes down every part that does not pass.

use std::fmt::Display;
use std::sync::Arc;

use enforcer_audit::{Entry, PartRuled, Suppressed};
use enforcer_flow::{ExchangeId, Stance};
use enforcer_policy::{Action, Answer, AnswerNeeds, Part, PolicySet, RuleRef, Ruling};
use enforcer_prompt::ToolKind;

use crate::gate::{question, reason};
use crate::judge::asked::Asked;
use crate::{Ask, Fault, Flow, Reading, Refusal};

mod asked;

/// Parts of one answer that are written one by one; the rest are counted, as a far side may send any number.
const LINES: u64 = 64;

/// The rules about the answer to one granted exchange.
pub struct Judge {
    set: Arc<PolicySet>,
    needs: AnswerNeeds,
    question: Asked,
    exchange: ExchangeId,
    flow: Arc<Flow>,
    status: u16,
    media_type: Option<String>,
    /// Parts that were left out: written, and only counted.
    written: u64,
    counted: u64,
    /// The rules that flagged something.
    flagged: Vec<RuleRef>,
    refusal: Option<Refusal>,
}

// === impl Judge ===

impl Judge {
    /// Who rules on the answer to what was asked, if `set` has rules about it, or it is wanted all the same.
    pub(crate) fn new(
        set: &Arc<PolicySet>,
        exchange: ExchangeId,
        flow: &Arc<Flow>,
        (ask, wanted): (&Ask<'_>, bool),
    ) -> Option<Self> {
        let needs = set.answer_needs(&question(flow, ask));
        if !needs.any() && !wanted {
            return None;
        }
        Some(Self {
            set: Arc::clone(set),
            needs,
            question: Asked::keep(ask)?,
            exchange,
            flow: Arc::clone(flow),
            status: 0,
            media_type: None,
            written: 0,
            counted: 0,
            flagged: Vec::new(),
            refusal: None,
        })
    }

    /// Keeps the body that was asked with, as rules about answers may read it too.
    pub fn keep_body(&mut self, body: Arc<Reading>) {
        self.question.body = Some(body);
    }

    /// What it wants to see.
    #[must_use]
    pub fn needs(&self) -> AnswerNeeds {
        self.needs
    }

    /// Takes note of the answer's head, which every ruling depends on.
    pub fn head(&mut self, status: u16, media_type: Option<&str>) {
        self.status = status;
        self.media_type = media_type.map(str::to_owned);
    }

    /// Rules on a part that cannot be left out: what would be, is blocked.
    pub fn rule_on_all(&mut self, part: Part<'_>) -> Action {
        self.judge(part, |action| match action {
            Action::Flag => Action::Flag,
            Action::Keep => Action::Keep,
            Action::Block | Action::Strip => Action::Block,
        })
    }

    /// Rules on a part, and records it unless it passes. Once a part is blocked, all others are.
    pub fn rule(&mut self, part: Part<'_>) -> Action {
        self.judge(part, |action| action)
    }

    fn judge(&mut self, part: Part<'_>, narrow: fn(Action) -> Action) -> Action {
        if self.refusal.is_some() {
            return Action::Block;
        }
        let answer = Answer {
            status: self.status,
            media_type: self.media_type.as_deref(),
            part,
        };
        let flow = &self.flow;
        let ask = self.question.ask();
        let mut ruling = self.set.evaluate_answer(&question(flow, &ask), &answer);
        ruling.action = narrow(ruling.action);
        match (ruling.action, self.flow.workload().stance) {
            (Action::Keep, _) => return Action::Keep,
            (Action::Flag, _) => {
                self.flag(part, &ruling);
                return Action::Keep;
            }
            // What would have been done is written, and nothing is done.
            (Action::Block | Action::Strip, Stance::Observe) => {
                if self.written < LINES {
                    self.written += 1;
                    self.record(part, &ruling);
                } else {
                    self.counted += 1;
                }
                return Action::Keep;
            }
            (Action::Block | Action::Strip, Stance::Enforce | Stance::Quarantine) => {}
        }
        match ruling.action {
            Action::Flag | Action::Keep => {}
            Action::Strip if self.written < LINES => {
                self.written += 1;
                self.record(part, &ruling);
            }
            Action::Strip => self.counted += 1,
            Action::Block => {
                self.record(part, &ruling);
                self.refusal = Some(self.refused(part, &ruling));
            }
        }
        ruling.action
    }

    /// What the agent is told of the part that was blocked; of an answer that is refused for another reason when none was.
    #[must_use]
    pub fn refusal(&mut self, cause: &'static str, public: &str) -> Refusal {
        let exchange = self.exchange;
        self.refusal.take().unwrap_or_else(|| Refusal {
            exchange,
            fault: Fault::Policy,
            cause,
            public: format!("{public} (exchange {exchange})"),
        })
    }

    /// Writes down what a rule flags, once for each rule: pieces of one text are judged again and again.
    fn flag(&mut self, part: Part<'_>, ruling: &Ruling) {
        if let Some(rule) = &ruling.rule
            && !self.flagged.contains(rule)
        {
            self.flagged.push(rule.clone());
            self.record(part, ruling);
        }
    }

    fn record(&self, part: Part<'_>, ruling: &Ruling) {
        let (word, name, count) = named(part);
        let rule = ruling.rule.as_ref();
        let reason = rule.and_then(RuleRef::reason);
        let ruled = PartRuled {
            exchange: self.exchange,
            flow: self.flow.id(),
            part: word,
            name,
            count,
            cause: ruling.cause.code(),
            rule: rule.map(RuleRef::as_str),
            reason: reason.as_ref().map(|reason| reason as &dyn Display),
        };
        let entry = match (self.flow.workload().stance, ruling.action) {
            (_, Action::Flag) => Entry::AnswerFlagged(ruled),
            (Stance::Observe, _) => Entry::PartObserved(ruled),
            (Stance::Enforce | Stance::Quarantine, Action::Strip) => Entry::AnswerEdited(ruled),
            (Stance::Enforce | Stance::Quarantine, Action::Block | Action::Keep) => {
                Entry::AnswerBlocked(ruled)
            }
        };
        self.flow.gate().ledger().defer(&entry);
    }

    fn refused(&self, part: Part<'_>, ruling: &Ruling) -> Refusal {
        let exchange = self.exchange;
        let what = match named(part) {
            (word, Some(name), _) => format!("{} `{name}`", word.replace('_', " ")),
            (word, None, _) => word.replace('_', " "),
        };
        let why = match &ruling.rule {
            Some(rule) => format!("is blocked by rule {rule}{}", reason(rule)),
            None => format!("is blocked: {}", ruling.cause),
        };
        Refusal {
            exchange,
            fault: Fault::Policy,
            cause: ruling.cause.code(),
            public: format!("the answer's {what} {why} (exchange {exchange})"),
        }
    }
}

impl Drop for Judge {
    fn drop(&mut self) {
        if self.counted == 0 {
            return;
        }
        let gate = self.flow.gate();
        gate.ledger().defer(&Entry::Suppressed(Suppressed {
            workload: Some(self.flow.workload()),
            event: "answer_edited",
            count: self.counted,
        }));
    }
}

fn listed(kind: ToolKind) -> &'static str {
    match kind {
        ToolKind::Prompt => "listed_prompt",
        ToolKind::Resource | ToolKind::ResourceTemplate => "listed_resource",
        ToolKind::Computer
        | ToolKind::Custom
        | ToolKind::Function
        | ToolKind::Hosted
        | ToolKind::Mcp
        | ToolKind::Unknown => "listed_tool",
    }
}

/// The word for a part, its name and how much of it there is.
fn named(part: Part<'_>) -> (&'static str, Option<&str>, Option<u64>) {
    match part {
        Part::Bytes(count) => ("bytes", None, Some(count)),
        Part::Head => ("head", None, None),
        Part::Listed(tool) => (listed(tool.kind), Some(tool.name), None),
        Part::Rows(count) => ("rows", None, Some(count)),
        Part::Text(text) => ("text", None, Some(text.len() as u64)),
        Part::ToolCall(call) => ("tool_call", Some(call.name), None),
        Part::Undecidable(_) => ("body", None, None),
    }
}

//! Rules about answers. They are asked part by part, and can only narrow what was allowed.

use enforcer_prompt as prompt;

use crate::check::Effect;
use crate::compile::Rule;
use crate::evaluate::Asked;
use crate::facts::{self, Facts};
use crate::scope::Subject;
use crate::truth::{Stance, Truth};
use crate::{
    Action, Answer, AnswerNeeds, Body, Cause, Mismatch, Part, PolicySet, Question, Ruling,
};

impl PolicySet {
    /// Which parts of the answer to an allowed exchange are to be asked about.
    #[must_use]
    pub fn answer_needs(&self, question: &Question<'_>) -> AnswerNeeds {
        let mut needs = AnswerNeeds::NONE;
        let reads_body =
            matches!(question.request, Some(request) if matches!(request.body, Body::Read(_)));
        // Listings are answers to messages; without one, and without rules about answers, nothing is looked at.
        if !self.answers.any() && !reads_body {
            return needs;
        }
        let asked = Asked::read(question, self);
        if self.answers.any() {
            self.hear_about(&asked, |rule| {
                if let Some(answer) = rule.answer()
                    && rule.asks_about_answer(&asked) != Truth::No
                {
                    needs = needs.or(answer.needs());
                }
            });
        }
        if !needs.listed && asked.facts.lists() {
            self.hear_about(&asked, |rule| needs.listed |= rule.speaks_of_mcp());
        }
        needs
    }

    /// Rules on one part of the answer to an exchange that was allowed. The question is the one that was allowed, with its
    /// body if that was read.
    #[must_use]
    pub fn evaluate_answer(&self, question: &Question<'_>, answer: &Answer<'_>) -> Ruling {
        let facts = Facts::of_answer(question, answer, &self.automata);
        let asked = Asked::with(question, facts);
        let mut first: Option<&Rule> = None;
        self.hear_about(&asked, |rule| {
            let Some(about) = rule.answer() else { return };
            if first.is_some_and(|first| !rule.is_stricter_than(first)) {
                return;
            }
            let part = about.judge(answer, &asked.facts);
            let matched = part.is_some_and(|part| {
                part != Truth::No && rule.asks_about_answer(&asked).and(part) != Truth::No
            });
            if matched {
                first = Some(rule);
            }
        });
        match (first, answer.part) {
            (Some(rule), part) => rule.ruling(part),
            (None, Part::Listed(tool)) => self.hidden(question, tool),
            (None, _) => Ruling::keep(),
        }
    }

    /// Hands over the rules about answers from a host, each with why it does not match a part, if it does not.
    pub(crate) fn consider_part(
        &self,
        question: &Question<'_>,
        answer: &Answer<'_>,
        mut take: impl FnMut(&Rule, Option<Mismatch>),
    ) {
        let facts = Facts::of_answer(question, answer, &self.automata);
        let asked = Asked::with(question, facts);
        let policies = self.scope(Subject::of(question)).into_iter().flatten();
        let rules = policies.flat_map(|policy| policy.near(question.host));
        rules.for_each(|rule| {
            let Some(about) = rule.answer() else { return };
            let mismatch = match (
                rule.asks_about_answer(&asked),
                about.judge(answer, &asked.facts),
            ) {
                (Truth::No, _) => Some(match rule.matches(&asked) {
                    Ok(()) | Err(Mismatch::Answer) => Mismatch::Field("when"),
                    Err(mismatch) => mismatch,
                }),
                (_, None | Some(Truth::No)) => Some(Mismatch::Field("answer")),
                (_, Some(Truth::Unknown | Truth::Unread | Truth::Yes)) => None,
            };
            take(rule, mismatch);
        });
    }

    /// What may not be asked for need not be known: a listing is ruled on by what asking for each of it would be answered.
    fn hidden(&self, question: &Question<'_>, tool: &prompt::Tool<'_>) -> Ruling {
        let listing = Facts::new(question, &self.automata);
        let Some(call) = facts::Call::of(tool).filter(|_| listing.lists()) else {
            return Ruling::keep();
        };
        let facts = Facts::imagining(question, call, &self.automata);
        let asked = Asked::with(question, facts);
        let (mut speaks, mut allow, mut deny) = (false, false, None);
        self.hear_about(&asked, |rule| {
            speaks |= rule.speaks_of_mcp();
            match (rule.effect, rule.judge(&asked)) {
                (_, Err(_) | Ok(Truth::No)) => {}
                // Arguments are not known yet: what they could still allow stays in the listing.
                (Effect::Allow, Ok(Truth::Yes | Truth::Unknown | Truth::Unread)) => allow = true,
                (Effect::Approve, Ok(_)) => {}
                (Effect::Deny | Effect::Terminate, Ok(Truth::Yes)) => deny = deny.or(Some(rule)),
                (Effect::Deny | Effect::Terminate, Ok(Truth::Unknown | Truth::Unread)) => {}
            }
        });
        match (speaks, deny, allow) {
            (false, _, _) | (true, None, true) => Ruling::keep(),
            (true, Some(rule), _) => Ruling {
                action: Action::Strip,
                cause: Cause::Rule,
                rule: Some(rule.name.clone()),
            },
            (true, None, false) => Ruling {
                action: Action::Strip,
                cause: Cause::NoRule,
                rule: None,
            },
        }
    }

    /// Hands over the rules, of all policies that apply, that may speak of what was asked for.
    fn hear_about<'s>(&'s self, asked: &Asked<'_, '_>, mut take: impl FnMut(&'s Rule)) {
        let (path, told) = (asked.clear_path(), asked.told());
        let subject = Subject::of(asked.facts.question);
        for policy in self.scope(subject).into_iter().flatten() {
            policy.index.visit(asked.host, |rules| {
                rules.hear(path, Some(&told), |at| {
                    if let Some(rule) = policy.rule(at) {
                        take(rule);
                    }
                });
            });
        }
    }
}

// === impl Rule ===

impl Rule {
    /// Whether a rule about answers is about answers to this request.
    fn asks_about_answer(&self, asked: &Asked<'_, '_>) -> Truth {
        if self.first_line(asked).is_err() {
            return Truth::No;
        }
        // An expression may speak of the answer, which is not there before it is asked about.
        let before = asked.facts.answer.is_none();
        self.more
            .as_ref()
            .map_or(Truth::Yes, |more| match &more.when {
                Some(when) if before && when.speaks_of_answer() => {
                    let hold = |condition: &crate::condition::Condition| {
                        condition.judge(&asked.facts, Stance::One)
                    };
                    more.conditions
                        .iter()
                        .map(hold)
                        .fold(Truth::Unknown, Truth::and)
                }
                Some(_) | None => more.judge(&asked.facts, Stance::One),
            })
    }

    fn speaks_of_mcp(&self) -> bool {
        let more = self.more.as_ref();
        more.is_some_and(|more| more.conditions.iter().any(|own| own.speaks_of_mcp()))
    }

    /// Ending the connection goes before blocking, and blocking before leaving out.
    fn is_stricter_than(&self, other: &Self) -> bool {
        self.strictness() > other.strictness()
    }

    fn strictness(&self) -> u8 {
        let action = self.more.as_ref().map_or(Action::Block, |more| more.action);
        match (self.effect, action) {
            (Effect::Terminate, _) => 4,
            (Effect::Allow | Effect::Deny, Action::Block | Action::Keep) => 3,
            (Effect::Approve, _) => 2,
            (Effect::Allow | Effect::Deny, Action::Strip) => 1,
            (Effect::Allow | Effect::Deny, Action::Flag) => 0,
        }
    }

    /// What this rule does with a part that it matches. Of what cannot be understood nothing can be left out.
    fn ruling(&self, part: Part<'_>) -> Ruling {
        let own = self.more.as_ref().map_or(Action::Block, |more| more.action);
        let (action, cause) = match part {
            Part::Undecidable(cause) if own == Action::Flag => (own, Cause::Undecidable(cause)),
            Part::Undecidable(cause) => (Action::Block, Cause::Undecidable(cause)),
            Part::Bytes(_)
            | Part::Head
            | Part::Listed(_)
            | Part::Rows(_)
            | Part::Text(_)
            | Part::ToolCall(_) => (own, self.usual_cause()),
        };
        Ruling {
            action,
            cause,
            rule: Some(self.name.clone()),
        }
    }
}

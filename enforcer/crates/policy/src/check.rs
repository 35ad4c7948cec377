//! [`Document`] to [`Checked`]: every value means something, every rule can be read aloud, ids and names are unique.
//!
//! A check never stops at the first finding; what it returns counts only when the findings hold no error.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use enforcer_flow::Protocol;

use crate::cel::{Language, When};
use crate::check::matches::{Sight, check_match};
use crate::compile::glob::Glob;
use crate::compile::host::Place;
use crate::compile::method::Method;
use crate::compile::path::PathPattern;
use crate::compile::reach::{Protocols, Reach};
use crate::condition::answer::AnswerTest;
use crate::condition::{self, Condition, Reader};
use crate::diagnostic::{Fault, Findings, Spot, excerpt};
use crate::document::{AppliesTo, Document, List, Rule, Text};
use crate::lexicon::Lexicon;
use crate::masking::{self, own::Detectors};
use crate::parse::fields::listed;
use crate::parse::nearest::did_you_mean;
use crate::parse::tree::Entry;
use crate::scope::Scope;
use crate::{Action, Obligation, RuleRef};

/// Longest name of a policy or rule, in bytes.
const MAX_NAME: usize = 64;
/// Longest reason, in characters; it travels in refusals and in the ledger.
const MAX_REASON: usize = 300;

mod matches;
mod more;

/// A policy whose every value means something.
#[derive(Debug)]
pub(crate) struct Checked<'t> {
    pub(crate) name: Text<'t>,
    /// Which workloads it is for.
    pub(crate) scope: Scope,
    /// What is masked in everything that it allows.
    pub(crate) mask: Option<Obligation>,
    pub(crate) rules: Vec<CheckedRule<'t>>,
}

#[derive(Debug)]
pub(crate) struct CheckedRule<'t> {
    pub(crate) spot: Spot<'t>,
    pub(crate) effect: Effect,
    pub(crate) name: RuleRef,
    pub(crate) places: Vec<Place>,
    pub(crate) reach: Reach,
    /// None means any.
    pub(crate) methods: Option<Vec<Method>>,
    /// None means any.
    pub(crate) paths: Option<Vec<PathPattern>>,
    pub(crate) more: More,
}

/// What a rule says beyond place, method and path.
#[derive(Debug, Default)]
pub(crate) struct More {
    pub(crate) conditions: Vec<Condition>,
    pub(crate) when: Option<When>,
    pub(crate) answer: Option<AnswerTest>,
    /// What becomes of a part of an answer.
    pub(crate) action: Action,
    pub(crate) obligations: Vec<Obligation>,
    /// The conditions as they are written, to tell equal ones.
    pub(crate) written: String,
}

/// What a rule does with what it matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    Allow,
    Approve,
    Deny,
    Terminate,
}

/// What texts are checked with, for a whole set.
pub(crate) struct Tools<'r> {
    pub(crate) findings: &'r mut Findings,
    pub(crate) lexicon: &'r mut Lexicon,
    pub(crate) language: &'r Language,
}

type Lists<'t> = Vec<(Cow<'t, str>, Vec<Text<'t>>)>;

/// What a policy has given names to.
struct Named<'t> {
    lists: Lists<'t>,
    detectors: Detectors,
    /// Whether everything that the policy allows is masked.
    masks: bool,
}

/// Checks one document. None when it has no usable name; findings say why.
pub(crate) fn check<'t>(document: Document<'t>, tools: &mut Tools<'_>) -> Option<Checked<'t>> {
    let Document {
        version,
        name,
        applies_to,
        lists,
        detectors,
        examples,
        mask,
        rules,
    } = document;
    if let Some(version) = version
        && version.text != "1"
    {
        let message = format!("version `{}` is not known", excerpt(&version.text));
        let hint = "this enforcer reads `version: 1`".to_owned();
        tools.findings.error(version.spot, message, Some(hint));
    }
    let scope = applies_to.map(|applies_to| check_scope(applies_to, tools.findings));
    let policy = name.as_ref().map_or("", |name| &*name.text).to_owned();
    let named = Named {
        lists,
        detectors: Detectors::read(detectors, examples, tools.findings),
        masks: mask.is_some(),
    };
    let everything = RuleRef::new(&policy, "mask", None);
    let mask = mask.and_then(|mask| {
        let mask = masking::read::read(mask, &everything, &named.detectors, tools.findings)?;
        Some(Obligation::Mask(Arc::new(mask)))
    });
    let mut ids = HashMap::new();
    let rules = rules
        .into_iter()
        .filter_map(|rule| check_rule(rule, &policy, &named, &mut ids, tools))
        .collect();
    let name = name.filter(|name| is_name("a policy's name", name, tools.findings))?;
    Some(Checked {
        name,
        scope: scope.unwrap_or_default(),
        mask,
        rules,
    })
}

fn check_scope(applies_to: AppliesTo<'_>, findings: &mut Findings) -> Scope {
    let AppliesTo {
        workloads,
        images,
        containers,
        pods,
        namespaces,
        units,
        principals,
        groups,
        labels,
    } = applies_to;
    let mut globs =
        |list: Option<List<'_>>| list.map(|list| globs(list, findings).into_boxed_slice());
    Scope {
        workloads: globs(workloads),
        images: globs(images),
        containers: globs(containers),
        pods: globs(pods),
        namespaces: globs(namespaces),
        units: globs(units),
        principals: globs(principals),
        groups: globs(groups),
        labels: labels
            .into_iter()
            .map(|(name, list)| ((*name).into(), globs(Some(list)).unwrap_or_default()))
            .collect(),
    }
}

fn check_rule<'t>(
    rule: Rule<'t>,
    policy: &str,
    named: &Named<'t>,
    ids: &mut HashMap<Cow<'t, str>, u32>,
    tools: &mut Tools<'_>,
) -> Option<CheckedRule<'t>> {
    let Rule {
        spot,
        id,
        effect,
        reason,
        inspect,
        action,
        when,
        obligations,
        matches,
    } = rule;
    let findings = &mut *tools.findings;
    let id = id.filter(|id| is_id(id, ids, findings));
    let effect = effect.and_then(|effect| check_effect(&effect, findings));
    let reason = reason.and_then(|reason| check_reason(&reason, findings));
    let opened = inspect.as_ref().is_none_or(|text| is_true(text, findings));
    // Without its effect nothing can be said about the rest: defaults differ.
    let (effect, mut matches) = (effect?, matches?);
    let sight = Sight {
        spot,
        effect,
        opened,
        inspect: inspect.map(|text| text.spot),
    };
    let id_text = id.as_ref().map_or("", |id| &*id.text);
    let name = RuleRef::new(policy, id_text, reason.as_deref());
    let fields = std::mem::take(&mut matches.more);
    let of_request = |entry: &&Entry<'_>| !condition::is_of_subject(&entry.key);
    let first = fields.iter().find(of_request).map(|entry| entry.spot);
    let expression = when.as_ref().map(|when| when.spot);
    let more = more::check(fields, when, sight, &named.lists, tools);
    let asks = more.when.as_ref().is_some_and(When::speaks_of_request);
    let mask = obligations.iter().find(|entry| entry.key == "mask");
    let asked = first
        .or(expression.filter(|_| asks))
        .or(mask.map(|entry| entry.spot));
    let about = (&name, sight, &named.detectors);
    let more = more::act(more, action, obligations, about, tools.findings);
    let implied = more.conditions.iter().find_map(Condition::places);
    let (places, reach, methods, paths) =
        check_match(matches, (sight, asked, implied), tools.findings);
    if named.masks && effect.opens() {
        check_masked(spot, reach.protocols, tools.findings);
    }
    id?;
    Some(CheckedRule {
        spot,
        effect,
        name,
        places,
        reach,
        methods,
        paths,
        more,
    })
}

/// Whether what the whole policy wants masked can be masked in what a rule allows.
fn check_masked(spot: Spot<'_>, protocols: Protocols, findings: &mut Findings) {
    let opened = protocols.has(Protocol::Http) || protocols.has(Protocol::Https);
    let closed = protocols.has(Protocol::Tcp) || protocols.has(Protocol::Tls);
    match (opened, closed) {
        (_, false) => {}
        (false, true) => {
            let message =
                "what this rule allows is not opened, so nothing in it is masked".to_owned();
            findings.warning(spot, message, None);
        }
        (true, true) => {
            let message = "the policy's `mask` is about requests, and `tcp` has none".to_owned();
            let hint = "make another rule for `tcp`".to_owned();
            findings.error(spot, message, Some(hint));
        }
    }
}

/// Whether a text can be the id of a rule, and no rule had it before.
fn is_id<'t>(id: &Text<'t>, ids: &mut HashMap<Cow<'t, str>, u32>, findings: &mut Findings) -> bool {
    if !is_name("a rule's id", id, findings) {
        return false;
    }
    match ids.insert(id.text.clone(), id.spot.at.line) {
        Some(line) => {
            let message = format!("rule id `{}` a second time", id.text);
            let hint = format!("the rule at line {line} has it already");
            findings.error(id.spot, message, Some(hint));
            false
        }
        None => true,
    }
}

fn check_effect(effect: &Text<'_>, findings: &mut Findings) -> Option<Effect> {
    let known = ["allow", "deny", "require_approval", "terminate"];
    match &*effect.text {
        "allow" => Some(Effect::Allow),
        "deny" => Some(Effect::Deny),
        "require_approval" => Some(Effect::Approve),
        "terminate" => Some(Effect::Terminate),
        other => {
            let message = format!("`{}` is no effect", excerpt(other));
            let hint = match did_you_mean(other, &known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the effects are {}", listed(&known)),
            };
            findings.error(effect.spot, message, Some(hint));
            None
        }
    }
}

/// A reason on one line.
fn check_reason(reason: &Text<'_>, findings: &mut Findings) -> Option<String> {
    let words: Vec<&str> = reason.text.split_whitespace().collect();
    let line = words.join(" ");
    if line.chars().any(char::is_control) {
        let message = "control characters in a reason".to_owned();
        findings.error(reason.spot, message, None);
        return None;
    }
    if line.chars().count() > MAX_REASON {
        let message = format!("a reason of more than {MAX_REASON} characters");
        let hint = "it is shown to whoever is refused; keep it to a sentence".to_owned();
        findings.error(reason.spot, message, Some(hint));
        return None;
    }
    (!line.is_empty()).then_some(line)
}

/// Whether `inspect` says yes, which it also does when what it says cannot be understood.
fn is_true(text: &Text<'_>, findings: &mut Findings) -> bool {
    match &*text.text {
        "true" => true,
        "false" => false,
        other => {
            let message = format!("`{}` is neither true nor false", excerpt(other));
            let hint = "write `true` or `false`".to_owned();
            findings.error(text.spot, message, Some(hint));
            true
        }
    }
}

// === impl More ===

impl More {
    /// Whether a rule with it says no more than one without.
    pub(crate) fn is_empty(&self) -> bool {
        self.is_unconditional() && self.obligations.is_empty()
    }

    /// Whether it asks for nothing to match.
    pub(crate) fn is_unconditional(&self) -> bool {
        self.conditions.is_empty() && self.when.is_none() && self.answer.is_none()
    }
}

// === impl Effect ===

impl Effect {
    /// Whether it lets anything through, so that it must be seen to match.
    pub(crate) fn opens(self) -> bool {
        match self {
            Self::Allow => true,
            Self::Approve | Self::Deny | Self::Terminate => false,
        }
    }
}

fn globs(list: List<'_>, findings: &mut Findings) -> Vec<Glob> {
    let glob = |text: &str| {
        let printable = !text.is_empty() && !text.chars().any(char::is_control);
        match printable && text.len() <= MAX_NAME * 4 {
            true => Ok(Glob::new(text.as_bytes())),
            false => Err(Fault::new("no pattern of workload names")),
        }
    };
    values(list, glob, findings)
}

/// Whether a text can name a policy or a rule.
fn is_name(what: &str, name: &Text<'_>, findings: &mut Findings) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let text = name.text.as_bytes();
    let begins = text.first().is_some_and(u8::is_ascii_alphanumeric);
    let good = begins && text.len() <= MAX_NAME && text.iter().all(|byte| allowed(*byte));
    if !good {
        let message = format!("`{}` cannot be {what}", excerpt(&name.text));
        let hint = format!(
            "at most {MAX_NAME} letters, digits, `-`, `_` and `.`, beginning with a letter or digit"
        );
        findings.error(name.spot, message, Some(hint));
    }
    good
}

/// Reads every value of a list, reporting those that mean nothing and those that stand there twice.
fn values<T>(
    list: List<'_>,
    read: impl Fn(&str) -> Result<T, Fault>,
    findings: &mut Findings,
) -> Vec<T> {
    let List { spot: _, values } = list;
    let mut seen = HashSet::new();
    let mut read_values = Vec::with_capacity(values.len());
    for Text { spot, text } in values {
        match read(&text) {
            Ok(value) => read_values.push(value),
            Err(fault) => findings.fault(spot, fault),
        }
        if let Some(twice) = seen.replace(text) {
            let message = format!("`{}` a second time in one list", excerpt(&twice));
            findings.warning(spot, message, None);
        }
    }
    read_values
}

//! `mask:` what a rule wants masked, out of its text.

use std::sync::Arc;

use enforcer_mask::{
    self as mask, Action, Confidence, Direction, Rule, RuleError, Ruleset, Settings, What,
};

use crate::RuleRef;
use crate::diagnostic::{Fault, Findings, Spot, excerpt};
use crate::document::Text;
use crate::masking::Mask;
use crate::masking::own::{Detectors, owned};
use crate::parse::fields::{self, Fields, one_of};
use crate::parse::nearest::did_you_mean;
use crate::parse::tree::{Entry, Node, Value};

const KEYS: [&str; 7] = [
    "detect",
    "field",
    "json_path",
    "header",
    "direction",
    "action",
    "confidence",
];

/// Both directions are none in particular.
const DIRECTIONS: [(&str, Option<Direction>); 3] = [
    ("request", Some(Direction::Request)),
    ("answer", Some(Direction::Answer)),
    ("both", None),
];

const CONFIDENCES: [(&str, Confidence); 3] = [
    ("low", Confidence::Low),
    ("medium", Confidence::Medium),
    ("high", Confidence::High),
];

/// Groups of detectors, and all of them.
const FAMILIES: [&str; 4] = ["all", "crypto", "pii", "secret"];

/// Whether a name is one that every policy knows.
pub(super) fn is_known(name: &str) -> bool {
    FAMILIES.contains(&name) || mask::detectors().any(|detector| detector.name == name)
}

/// Reads all that a rule asks to be masked. None when nothing of it can be understood.
pub(crate) fn read(
    entry: Entry<'_>,
    rule: &RuleRef,
    detectors: &Detectors,
    findings: &mut Findings,
) -> Option<Mask> {
    let spot = entry.spot;
    let nodes = match entry.value.value {
        Value::List(nodes) => nodes,
        Value::Map(_) | Value::Null | Value::Text(_) => vec![entry.into_value()],
    };
    if nodes.is_empty() {
        let message = "`mask` with an empty list, which masks nothing".to_owned();
        let hint = "leave it out, or write what to look for, as in `[pii, secret]`".to_owned();
        findings.error(spot, message, Some(hint));
    }
    let mut rules = Vec::new();
    for node in nodes {
        let at = node.spot;
        let item = item(node, rule, detectors, findings);
        rules.extend(item.filter(|item| try_out(&item.what, at, findings)));
    }
    if rules.is_empty() {
        return None;
    }
    match Ruleset::new(&rules, settings(detectors.examples)) {
        Ok(set) => Some(Mask {
            rule: rule.clone(),
            written: format!("{rules:?} {}", detectors.examples).into(),
            rules: rules.into(),
            examples: detectors.examples,
            set: Arc::new(set),
        }),
        Err(errors) => {
            errors
                .into_iter()
                .for_each(|error| findings.fault(spot, fault(error)));
            None
        }
    }
}

pub(super) fn settings(examples: bool) -> Settings {
    Settings {
        allow_examples: examples,
        ..Settings::default()
    }
}

/// Whether something can be looked for; what is wrong with it is reported where it stands.
pub(super) fn try_out(what: &[What], spot: Spot<'_>, findings: &mut Findings) -> bool {
    let rule = Rule {
        id: String::new(),
        what: what.to_vec(),
        action: Action::Redact,
        direction: None,
        least: Confidence::Medium,
    };
    match Ruleset::new(&[rule], Settings::default()) {
        Ok(_) => true,
        Err(errors) => {
            errors
                .into_iter()
                .for_each(|error| findings.fault(spot, fault(error)));
            false
        }
    }
}

/// One name, or a map that says more.
fn item(
    node: Node<'_>,
    rule: &RuleRef,
    detectors: &Detectors,
    findings: &mut Findings,
) -> Option<Rule> {
    let id = rule.as_str().to_owned();
    if let Value::Text(text) = &node.value {
        let text = Text {
            spot: node.spot,
            text: text.clone(),
        };
        return Some(Rule {
            id,
            what: named(&text, detectors, findings)?,
            action: Action::Redact,
            direction: None,
            least: Confidence::Medium,
        });
    }
    let mut map = Fields::open(node, "what is masked", &KEYS, findings)?;
    let spot = map.spot;
    let what = whats(&mut map, detectors, findings)?;
    if what.is_empty() {
        let message = "a mask without what it looks for".to_owned();
        let hint = "add `detect`, `field`, `json_path` or `header`".to_owned();
        findings.error(spot, message, Some(hint));
        return None;
    }
    let [direction, action, confidence] =
        ["direction", "action", "confidence"].map(|key| map.take(key));
    let direction = word(direction, "a direction", &DIRECTIONS, findings)?.flatten();
    let actions = Action::ALL.map(|action| (action.name(), action));
    let action = word(action, "what becomes of a value", &actions, findings)?;
    let least = word(confidence, "a confidence", &CONFIDENCES, findings)?;
    Some(Rule {
        id,
        what,
        action: action.unwrap_or(Action::Redact),
        direction,
        least: least.unwrap_or(Confidence::Medium),
    })
}

/// Everything that a map says to look for; none when something of it cannot be understood.
fn whats(
    map: &mut Fields<'_>,
    detectors: &Detectors,
    findings: &mut Findings,
) -> Option<Vec<What>> {
    let mut whats = Vec::new();
    if let Some(entry) = map.take("detect") {
        for text in fields::texts(entry, findings).values {
            whats.extend(named(&text, detectors, findings)?);
        }
    }
    if let Some(entry) = map.take("field") {
        whats.extend(owned(entry, findings)?.into_iter().map(What::Field));
    }
    if let Some(entry) = map.take("json_path") {
        whats.extend(owned(entry, findings)?.into_iter().map(What::Path));
    }
    if let Some(entry) = map.take("header") {
        whats.extend(owned(entry, findings)?.into_iter().map(What::Header));
    }
    Some(whats)
}

/// A word of a closed list, if it is given; none when it is another.
fn word<T: Copy>(
    entry: Option<Entry<'_>>,
    what: &str,
    known: &[(&str, T)],
    findings: &mut Findings,
) -> Option<Option<T>> {
    let Some(entry) = entry else {
        return Some(None);
    };
    let text = fields::text(entry, findings)?;
    one_of(&text, what, known, findings).map(Some)
}

/// What a name stands for.
fn named(text: &Text<'_>, detectors: &Detectors, findings: &mut Findings) -> Option<Vec<What>> {
    let name = &*text.text;
    if is_known(name) {
        return Some(vec![What::Named(name.to_owned())]);
    }
    if let Some(own) = detectors.named(name) {
        return Some(own.to_vec());
    }
    findings.fault(text.spot, unknown(name, detectors));
    None
}

fn unknown(name: &str, detectors: &Detectors) -> Fault {
    let known: Vec<&str> = FAMILIES
        .into_iter()
        .chain(mask::detectors().map(|detector| detector.name))
        .chain(detectors.names())
        .collect();
    let fault = Fault::new(format!("there is no detector `{}`", excerpt(name)));
    fault.with_hint(match did_you_mean(name, &known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`enforcer policy detectors` lists them, and `detectors:` adds to them".to_owned(),
    })
}

/// What is wrong with something to look for, as a finding at the place where it stands.
fn fault(error: RuleError) -> Fault {
    match error {
        RuleError::CanaryShort { name, least, .. } => Fault::new(format!(
            "a value of `{name}` is shorter than {least} bytes and would be found by chance"
        )),
        RuleError::Empty { name, .. } => Fault::new(format!("`{name}` is empty")),
        RuleError::Name { name, .. } => Fault::new(format!("`{name}` cannot name a detector")),
        RuleError::Path { path, why, .. } => {
            let fault = Fault::new(format!("`{}` cannot be used: {why}", excerpt(&path)));
            fault.with_hint("write it as in `$.user.ssn` or `$.items[*].card`")
        }
        RuleError::Regex { why, .. } => Fault::new(format!("a pattern that cannot be used: {why}")),
        RuleError::Taken { name, .. } => Fault::new(format!("`{name}` is a detector already")),
        RuleError::Unbounded { most, .. } => {
            let fault = Fault::new(format!("what it matches can be longer than {most} bytes"));
            fault.with_hint("bound its repetitions, as in `{1,64}` for `+`, or add `longest`")
        }
        RuleError::Unknown { name, nearest, .. } => {
            let fault = Fault::new(format!("there is no detector `{name}`"));
            match nearest {
                Some(near) => fault.with_hint(format!("did you mean `{near}`?")),
                None => fault,
            }
        }
    }
}

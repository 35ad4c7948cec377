//! [`Document`] to [`Checked`]: every value means something, every rule can be read aloud, ids and names are unique.
//!
//! A check never stops at the first finding; what it returns counts only when the findings hold no error.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use enforcer_flow::Protocol;

use crate::compile::cidr;
use crate::compile::glob::Glob;
use crate::compile::host::Place;
use crate::compile::method::Method;
use crate::compile::path::PathPattern;
use crate::compile::reach::{Ports, Protocols, Reach, parse_ports, parse_protocol};
use crate::diagnostic::{Fault, Findings, Spot, excerpt};
use crate::document::{AppliesTo, Document, List, Match, Rule, Text};
use crate::parse::fields::listed;
use crate::parse::nearest::did_you_mean;

/// Longest name of a policy or rule, in bytes.
const MAX_NAME: usize = 64;
/// Longest reason, in characters; it travels in refusals and in the ledger.
const MAX_REASON: usize = 300;

/// A policy whose every value means something.
#[derive(Debug)]
pub(crate) struct Checked<'t> {
    pub(crate) name: Text<'t>,
    /// Which workloads it is for; none means all.
    pub(crate) workloads: Option<Vec<Glob>>,
    pub(crate) rules: Vec<CheckedRule<'t>>,
}

#[derive(Debug)]
pub(crate) struct CheckedRule<'t> {
    pub(crate) spot: Spot<'t>,
    pub(crate) id: Cow<'t, str>,
    pub(crate) effect: Effect,
    pub(crate) reason: Option<String>,
    pub(crate) places: Vec<Place>,
    pub(crate) reach: Reach,
    /// None means any.
    pub(crate) methods: Option<Vec<Method>>,
    /// None means any.
    pub(crate) paths: Option<Vec<PathPattern>>,
}

/// What a rule does with what it matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    Allow,
    Deny,
}

/// Checks one document. None when it has no usable name; findings say why.
pub(crate) fn check<'t>(document: Document<'t>, findings: &mut Findings) -> Option<Checked<'t>> {
    let Document {
        version,
        name,
        applies_to,
        rules,
    } = document;
    if let Some(version) = version
        && version.text != "1"
    {
        let message = format!("version `{}` is not known", excerpt(&version.text));
        let hint = "this enforcer reads `version: 1`".to_owned();
        findings.error(version.spot, message, Some(hint));
    }
    let workloads = applies_to.and_then(|applies_to| {
        let AppliesTo { workloads } = applies_to;
        workloads.map(|list| globs(list, findings))
    });
    let mut ids = HashMap::new();
    let rules = rules
        .into_iter()
        .filter_map(|rule| check_rule(rule, &mut ids, findings))
        .collect();
    let name = name.filter(|name| is_name("a policy's name", name, findings))?;
    Some(Checked {
        name,
        workloads,
        rules,
    })
}

fn check_rule<'t>(
    rule: Rule<'t>,
    ids: &mut HashMap<Cow<'t, str>, u32>,
    findings: &mut Findings,
) -> Option<CheckedRule<'t>> {
    let Rule {
        spot,
        id,
        effect,
        reason,
        inspect,
        matches,
    } = rule;
    let id = id.filter(|id| is_id(id, ids, findings));
    let effect = effect.and_then(|effect| check_effect(&effect, findings));
    let reason = reason.and_then(|reason| check_reason(&reason, findings));
    let opened = inspect.as_ref().is_none_or(|text| is_true(text, findings));
    // Without its effect nothing can be said about the rest: defaults differ.
    let (effect, matches) = (effect?, matches?);
    let sight = Sight {
        spot,
        effect,
        opened,
        inspect: inspect.map(|text| text.spot),
    };
    let (places, reach, methods, paths) = check_match(matches, sight, findings);
    Some(CheckedRule {
        spot,
        id: id?.text,
        effect,
        reason,
        places,
        reach,
        methods,
        paths,
    })
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

/// What the fields of a match must be read with.
#[derive(Clone, Copy)]
struct Sight<'t> {
    /// The rule.
    spot: Spot<'t>,
    effect: Effect,
    /// Whether TLS is opened.
    opened: bool,
    /// Where `inspect` stands, if it does.
    inspect: Option<Spot<'t>>,
}

type Matched = (
    Vec<Place>,
    Reach,
    Option<Vec<Method>>,
    Option<Vec<PathPattern>>,
);

fn check_match(matches: Match<'_>, sight: Sight<'_>, findings: &mut Findings) -> Matched {
    let Match {
        host,
        cidr,
        port,
        protocol,
        method,
        path,
    } = matches;
    let requests = Requests {
        method: method.as_ref().map(|list| list.spot),
        path: path.as_ref().map(|list| list.spot),
    };
    let places = check_places(host, cidr, sight, findings);
    let protocols = check_protocols(protocol, requests, sight, findings);
    let ports = check_ports(port, protocols, sight, findings);
    let methods = method.map(|list| values(list, Method::parse, findings));
    let paths = path.map(|list| values(list, PathPattern::parse, findings));
    (places, Reach { protocols, ports }, methods, paths)
}

fn check_places(
    host: Option<List<'_>>,
    cidr: Option<List<'_>>,
    sight: Sight<'_>,
    findings: &mut Findings,
) -> Vec<Place> {
    match (host, cidr) {
        (None, None) => {
            if sight.effect == Effect::Allow {
                let message = "a rule that allows without saying where to".to_owned();
                let hint = "add `host` or `cidr`; `host: \"*\"` means everywhere".to_owned();
                findings.error(sight.spot, message, Some(hint));
            }
            vec![Place::Anywhere]
        }
        (Some(_), Some(cidr)) => {
            let message = "`host` and `cidr` in one rule, which both would have to hold".to_owned();
            let hint = "make two rules of it".to_owned();
            findings.error(cidr.spot, message, Some(hint));
            Vec::new()
        }
        (Some(host), None) => values(host, Place::parse, findings),
        (None, Some(cidr)) => values(cidr, |text| cidr::parse(text).map(Place::Net), findings),
    }
}

/// Where a rule speaks of requests, if it does.
#[derive(Clone, Copy)]
struct Requests<'t> {
    method: Option<Spot<'t>>,
    path: Option<Spot<'t>>,
}

fn check_protocols(
    list: Option<List<'_>>,
    requests: Requests<'_>,
    sight: Sight<'_>,
    findings: &mut Findings,
) -> Protocols {
    let named = list.map(|list| {
        let spot = list.spot;
        let named = values(list, parse_protocol, findings);
        check_named(&named, spot, requests, sight, findings);
        Protocols::of(&named)
    });
    let requested = requests.method.or(requests.path);
    match (sight.effect, sight.opened) {
        (Effect::Allow, true) => named.unwrap_or(Protocols::of(&[Protocol::Https])),
        (Effect::Allow, false) => {
            if let Some(spot) = requested {
                let message = "requests cannot be seen in TLS that is not opened".to_owned();
                let hint = "leave out `method` and `path`, or `inspect: false`".to_owned();
                findings.error(spot, message, Some(hint));
            }
            Protocols::of(&[Protocol::Tls])
        }
        (Effect::Deny, _) => {
            if let Some(spot) = sight.inspect {
                let message = "`inspect` in a rule that denies, where nothing is opened".to_owned();
                let hint = "leave it out; `protocol: tls` denies TLS that is forwarded unopened";
                findings.error(spot, message, Some(hint.to_owned()));
            }
            let all = [Protocol::Http, Protocol::Https, Protocol::Tls];
            let opaque = requested.is_none().then_some(Protocol::Tcp);
            let all = opaque
                .into_iter()
                .fold(Protocols::of(&all), Protocols::with);
            named.unwrap_or(all)
        }
    }
}

/// Checks protocols that were written out against what else the rule says.
fn check_named(
    named: &[Protocol],
    spot: Spot<'_>,
    requests: Requests<'_>,
    sight: Sight<'_>,
    findings: &mut Findings,
) {
    let tls = named.contains(&Protocol::Tls);
    let mut error = |message: &str, hint: &str| {
        findings.error(spot, message.to_owned(), Some(hint.to_owned()));
    };
    if sight.effect == Effect::Allow && sight.opened && tls {
        error(
            "`tls` means TLS that is not opened",
            "write `https`, or add `inspect: false` to forward it unopened",
        );
    }
    if sight.effect == Effect::Allow && !sight.opened && named.iter().any(|p| *p != Protocol::Tls) {
        error(
            "`inspect: false` forwards TLS unopened and speaks of nothing else",
            "leave `protocol` out, and make another rule for other protocols",
        );
    }
    let requested = requests.method.is_some() || requests.path.is_some();
    if requested && named.contains(&Protocol::Tcp) {
        error(
            "`tcp` has no requests for `method` or `path` to match",
            "make another rule for `tcp`",
        );
    }
}

fn check_ports(
    list: Option<List<'_>>,
    protocols: Protocols,
    sight: Sight<'_>,
    findings: &mut Findings,
) -> Ports {
    match (list, sight.effect) {
        (Some(list), _) => Ports::In(values(list, parse_ports, findings).into()),
        (None, Effect::Allow) => {
            if protocols.has(Protocol::Tcp) {
                let message = "a rule that allows `tcp` without naming its ports".to_owned();
                let hint = "add `port`".to_owned();
                findings.error(sight.spot, message, Some(hint));
            }
            Ports::Usual
        }
        (None, Effect::Deny) => Ports::Any,
    }
}

fn check_effect(effect: &Text<'_>, findings: &mut Findings) -> Option<Effect> {
    let known = ["allow", "deny"];
    match &*effect.text {
        "allow" => Some(Effect::Allow),
        "deny" => Some(Effect::Deny),
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

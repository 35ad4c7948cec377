//! Text to [`Document`]: the shape, with every mistake in it reported at its place.

use std::borrow::Cow;

use crate::compile::Source;
use crate::condition;
use crate::diagnostic::Findings;
use crate::document::{AppliesTo, Document, Fragment, List, Match, Rule, Text};
use crate::parse::fields::Fields;
use crate::parse::lists::Lists;
use crate::parse::tree::{Entry, Node, Value};

pub(crate) mod fields;
pub(crate) mod include;
pub(crate) mod lists;
pub(crate) mod nearest;
pub(crate) mod tree;

/// Reads a policy. None when there is no map to read keys from; findings hold every other mistake of shape. What it
/// includes is found among the sources beside it.
pub(crate) fn document<'t>(
    source: &Source<'t>,
    beside: &[Source<'t>],
    findings: &mut Findings,
) -> Option<Document<'t>> {
    let node = tree::read(source.text, findings)?;
    let mut fields = Fields::open(node, "a policy", &Document::KEYS, findings)?;
    let version = required_text(&mut fields, "version", findings);
    let name = required_text(&mut fields, "name", findings);
    let included = fields.take("include").map(|entry| {
        let names = fields::texts(entry, findings);
        include::read(source, names, beside, findings)
    });
    let own = fields.take("lists");
    let Fragment {
        lists,
        detectors,
        rules,
    } = included.unwrap_or_default();
    let own = own.map(|entry| include::named(entry, &include::LISTS, findings));
    let lists = Lists::read(lists.into_iter().chain(own.into_iter().flatten()), findings);
    let own = fields.take("detectors");
    let own = own.map(|entry| include::named(entry, &include::DETECTORS, findings));
    let mut detectors: Vec<_> = detectors
        .into_iter()
        .chain(own.into_iter().flatten())
        .collect();
    for detector in &mut detectors {
        lists.fill(&mut detector.value, findings);
    }
    let examples = optional_text(&mut fields, "examples", findings);
    let mut mask = fields.take("mask");
    if let Some(mask) = &mut mask {
        lists.fill(&mut mask.value, findings);
    }
    let applies_to = fields.take("applies_to").and_then(|mut entry| {
        lists.fill(&mut entry.value, findings);
        applies_to(entry, findings)
    });
    let own = fields
        .require("rules", findings)
        .map(|entry| rule_nodes(entry, findings))
        .unwrap_or_default();
    let rules = rules
        .into_iter()
        .chain(own)
        .filter_map(|node| rule(node, &lists, findings))
        .collect();
    Some(Document {
        version,
        name,
        applies_to,
        lists: lists.into_values(),
        detectors,
        examples,
        mask,
        rules,
    })
}

fn applies_to<'t>(entry: Entry<'t>, findings: &mut Findings) -> Option<AppliesTo<'t>> {
    let mut fields = Fields::open(
        entry.into_value(),
        "`applies_to`",
        &AppliesTo::KEYS,
        findings,
    )?;
    Some(AppliesTo {
        workloads: list(&mut fields, "workloads", findings),
        images: list(&mut fields, "images", findings),
        containers: list(&mut fields, "containers", findings),
        pods: list(&mut fields, "pods", findings),
        namespaces: list(&mut fields, "namespaces", findings),
        units: list(&mut fields, "units", findings),
        principals: list(&mut fields, "principals", findings),
        groups: list(&mut fields, "groups", findings),
        labels: fields
            .take("labels")
            .map(|entry| labels(entry, findings))
            .unwrap_or_default(),
    })
}

fn labels<'t>(entry: Entry<'t>, findings: &mut Findings) -> Vec<(Cow<'t, str>, List<'t>)> {
    let spot = entry.spot;
    match entry.into_value().value {
        Value::Map(entries) => entries
            .into_iter()
            .map(|entry| (entry.key.clone(), fields::texts(entry, findings)))
            .collect(),
        Value::List(_) | Value::Null | Value::Text(_) => {
            let message = "`labels` takes a map of labels and their values".to_owned();
            let hint = "write `labels: { team: [search, ads] }`".to_owned();
            findings.error(spot, message, Some(hint));
            Vec::new()
        }
    }
}

/// The rules of a file, not yet read.
pub(crate) fn rule_nodes<'t>(entry: Entry<'t>, findings: &mut Findings) -> Vec<Node<'t>> {
    match entry.value.value {
        Value::List(nodes) => nodes,
        Value::Map(_) | Value::Null | Value::Text(_) => {
            let message = "`rules` takes a list of rules".to_owned();
            let hint = "begin each rule with `- id:`; `[]` is the list of none".to_owned();
            findings.error(entry.spot, message, Some(hint));
            Vec::new()
        }
    }
}

fn rule<'t>(node: Node<'t>, lists: &Lists<'t>, findings: &mut Findings) -> Option<Rule<'t>> {
    let known: Vec<&str> = Rule::KEYS.into_iter().chain(Rule::OBLIGATIONS).collect();
    let mut fields = Fields::open(node, "a rule", &known, findings)?;
    let obligation = |name| {
        let mut entry = fields.take(name)?;
        if name == "mask" {
            lists.fill(&mut entry.value, findings);
        }
        Some(entry)
    };
    let obligations = Rule::OBLIGATIONS
        .into_iter()
        .filter_map(obligation)
        .collect();
    Some(Rule {
        spot: fields.spot,
        id: required_text(&mut fields, "id", findings),
        effect: required_text(&mut fields, "effect", findings),
        reason: optional_text(&mut fields, "reason", findings),
        inspect: optional_text(&mut fields, "inspect", findings),
        action: optional_text(&mut fields, "action", findings),
        when: optional_text(&mut fields, "when", findings),
        obligations,
        matches: fields.require("match", findings).and_then(|mut entry| {
            lists.fill(&mut entry.value, findings);
            matches(entry, findings)
        }),
    })
}

fn matches<'t>(entry: Entry<'t>, findings: &mut Findings) -> Option<Match<'t>> {
    let known: Vec<&str> = Match::KEYS.into_iter().chain(condition::keys()).collect();
    let mut fields = Fields::open(entry.into_value(), "`match`", &known, findings)?;
    let more = condition::keys()
        .filter_map(|key| fields.take(key))
        .collect();
    Some(Match {
        host: list(&mut fields, "host", findings),
        cidr: list(&mut fields, "cidr", findings),
        port: list(&mut fields, "port", findings),
        protocol: list(&mut fields, "protocol", findings),
        method: list(&mut fields, "method", findings),
        path: list(&mut fields, "path", findings),
        more,
    })
}

fn required_text<'t>(
    fields: &mut Fields<'t>,
    name: &str,
    findings: &mut Findings,
) -> Option<Text<'t>> {
    let entry = fields.require(name, findings)?;
    fields::text(entry, findings)
}

fn optional_text<'t>(
    fields: &mut Fields<'t>,
    name: &str,
    findings: &mut Findings,
) -> Option<Text<'t>> {
    let entry = fields.take(name)?;
    fields::text(entry, findings)
}

fn list<'t>(fields: &mut Fields<'t>, name: &str, findings: &mut Findings) -> Option<List<'t>> {
    let entry = fields.take(name)?;
    Some(fields::texts(entry, findings))
}

//! Text to [`Document`]: the shape, with every mistake in it reported at its place.

use crate::diagnostic::Findings;
use crate::document::{AppliesTo, Document, List, Match, Rule, Text};
use crate::parse::fields::Fields;
use crate::parse::tree::{Entry, Node, Value};

pub(crate) mod fields;
pub(crate) mod nearest;
pub(crate) mod tree;

/// Reads a policy. None when there is no map to read keys from; findings hold every other mistake of shape.
pub(crate) fn document<'t>(text: &'t str, findings: &mut Findings) -> Option<Document<'t>> {
    let node = tree::read(text, findings)?;
    let mut fields = Fields::open(node, "a policy", &Document::KEYS, findings)?;
    Some(Document {
        version: required_text(&mut fields, "version", findings),
        name: required_text(&mut fields, "name", findings),
        applies_to: fields
            .take("applies_to")
            .and_then(|entry| applies_to(entry, findings)),
        rules: fields
            .require("rules", findings)
            .map(|entry| rules(entry, findings))
            .unwrap_or_default(),
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
    })
}

fn rules<'t>(entry: Entry<'t>, findings: &mut Findings) -> Vec<Rule<'t>> {
    let nodes = match entry.value.value {
        Value::List(nodes) => nodes,
        Value::Map(_) | Value::Null | Value::Text(_) => {
            let message = "`rules` takes a list of rules".to_owned();
            let hint = "begin each rule with `- id:`; `[]` is the list of none".to_owned();
            findings.error(entry.spot, message, Some(hint));
            return Vec::new();
        }
    };
    nodes
        .into_iter()
        .filter_map(|node| rule(node, findings))
        .collect()
}

fn rule<'t>(node: Node<'t>, findings: &mut Findings) -> Option<Rule<'t>> {
    let mut fields = Fields::open(node, "a rule", &Rule::KEYS, findings)?;
    Some(Rule {
        spot: fields.spot,
        id: required_text(&mut fields, "id", findings),
        effect: required_text(&mut fields, "effect", findings),
        reason: optional_text(&mut fields, "reason", findings),
        inspect: optional_text(&mut fields, "inspect", findings),
        matches: fields
            .require("match", findings)
            .and_then(|entry| matches(entry, findings)),
    })
}

fn matches<'t>(entry: Entry<'t>, findings: &mut Findings) -> Option<Match<'t>> {
    let mut fields = Fields::open(entry.into_value(), "`match`", &Match::KEYS, findings)?;
    Some(Match {
        host: list(&mut fields, "host", findings),
        cidr: list(&mut fields, "cidr", findings),
        port: list(&mut fields, "port", findings),
        protocol: list(&mut fields, "protocol", findings),
        method: list(&mut fields, "method", findings),
        path: list(&mut fields, "path", findings),
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

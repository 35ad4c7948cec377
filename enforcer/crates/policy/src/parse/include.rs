//! What policies include: files of lists and rules beside them.

use crate::compile::Source;
use crate::diagnostic::{FileId, Findings, Spot, excerpt};
use crate::document::{Fragment, List, Text};
use crate::parse::fields::{self, Fields};
use crate::parse::rule_nodes;
use crate::parse::tree::{self, Entry, Value};

/// How the names of files end that are included and are no policies of their own.
pub(crate) const SUFFIX: &str = ".inc.yaml";
/// Most files that one policy includes.
const MAX_INCLUDES: usize = 64;

/// Reads every file that a policy names, one after the other.
pub(crate) fn read<'t>(
    policy: &Source<'t>,
    names: List<'t>,
    beside: &[Source<'t>],
    findings: &mut Findings,
) -> Fragment<'t> {
    let mut all = Fragment::default();
    if names.values.len() > MAX_INCLUDES {
        let message = format!("more than {MAX_INCLUDES} includes in one policy");
        findings.error(names.spot, message, None);
        return all;
    }
    let mut seen: Vec<&str> = Vec::new();
    for Text { spot, text } in &names.values {
        if seen.contains(&&**text) {
            let message = format!("`{}` is included a second time", excerpt(text));
            findings.error(*spot, message, None);
            continue;
        }
        seen.push(text);
        if let Some(source) = find(policy, text, *spot, beside, findings) {
            let file = findings.add_file(source.name);
            if let Some(fragment) = fragment(source, file, findings) {
                let Fragment {
                    lists,
                    detectors,
                    rules,
                } = fragment;
                all.lists.extend(lists);
                all.detectors.extend(detectors);
                all.rules.extend(rules);
            }
        }
    }
    all
}

/// The source that a policy means by a name: the file of that name in the folder of the policy.
fn find<'s, 't>(
    policy: &Source<'t>,
    name: &str,
    spot: Spot<'_>,
    beside: &'s [Source<'t>],
    findings: &mut Findings,
) -> Option<&'s Source<'t>> {
    if name.contains(['/', '\\']) || !name.ends_with(SUFFIX) || name.len() <= SUFFIX.len() {
        let message = format!("`{}` cannot be included", excerpt(name));
        let hint = format!("includes are files beside the policy, named `NAME{SUFFIX}`");
        findings.error(spot, message, Some(hint));
        return None;
    }
    let folder = policy.name.rfind('/').map_or("", |at| &policy.name[..=at]);
    let wanted = format!("{folder}{name}");
    let found = beside.iter().find(|source| source.name == wanted);
    if found.is_none() {
        let message = format!("there is no `{}` beside this policy", excerpt(name));
        findings.error(spot, message, None);
    }
    found
}

fn fragment<'t>(
    source: &Source<'t>,
    file: FileId,
    findings: &mut Findings,
) -> Option<Fragment<'t>> {
    let node = tree::read_file(source.text, file, findings)?;
    let mut fields = Fields::open(node, "an included file", &Fragment::KEYS, findings)?;
    let version = fields.require("version", findings);
    if let Some(version) = version.and_then(|entry| fields::text(entry, findings))
        && version.text != "1"
    {
        let message = format!("version `{}` is not known", excerpt(&version.text));
        let hint = "this enforcer reads `version: 1`".to_owned();
        findings.error(version.spot, message, Some(hint));
    }
    let lists = fields.take("lists");
    let lists = lists.map(|entry| named(entry, &LISTS, findings));
    let detectors = fields.take("detectors");
    let detectors = detectors.map(|entry| named(entry, &DETECTORS, findings));
    let rules = fields
        .take("rules")
        .map(|entry| rule_nodes(entry, findings));
    Some(Fragment {
        lists: lists.unwrap_or_default(),
        detectors: detectors.unwrap_or_default(),
        rules: rules.unwrap_or_default(),
    })
}

/// How a map of names is told of, and how one is written.
pub(crate) type Example = (&'static str, &'static str);

/// `lists`.
pub(crate) const LISTS: Example = (
    "`lists` takes a map of names and lists",
    "write `lists: { approved-models: [gpt-4o, gpt-4o-mini] }`",
);
/// `detectors`.
pub(crate) const DETECTORS: Example = (
    "`detectors` takes a map of names and detectors",
    "write `detectors: { staff-number: { regex: 'E-[0-9]{6}', longest: 8 } }`",
);

/// The entries of a map of names, not yet read.
pub(crate) fn named<'t>(
    entry: Entry<'t>,
    (message, hint): &Example,
    findings: &mut Findings,
) -> Vec<Entry<'t>> {
    let spot = entry.spot;
    match entry.into_value().value {
        Value::Map(entries) => entries,
        Value::List(_) | Value::Null | Value::Text(_) => {
            findings.error(spot, (*message).to_owned(), Some((*hint).to_owned()));
            Vec::new()
        }
    }
}

/// The names that a policy includes, as far as its text can be read; for whoever reads the files.
#[must_use]
pub fn includes(text: &str) -> Vec<String> {
    let mut ignored = Findings::new("");
    let Some(node) = tree::read(text, &mut ignored) else {
        return Vec::new();
    };
    let Value::Map(entries) = node.value else {
        return Vec::new();
    };
    let include = entries.into_iter().find(|entry| entry.key == "include");
    let names = include.map(|entry| fields::texts(entry, &mut ignored).values);
    let names = names.unwrap_or_default().into_iter().map(|name| name.text);
    names
        .filter(|name| !name.contains('/') && name.ends_with(SUFFIX))
        .map(|name| name.into_owned())
        .take(MAX_INCLUDES)
        .collect()
}

/// Whether a file of this name is included by policies and is none itself.
#[must_use]
pub fn is_include(name: &str) -> bool {
    name.ends_with(SUFFIX)
}

//! A map's entries taken out by name: what is unknown, missing or of the wrong kind is reported where it stands.

use crate::diagnostic::{Fault, Findings, Spot, excerpt};
use crate::document::{List, Text};
use crate::parse::nearest::did_you_mean;
use crate::parse::tree::{Entry, Node, Value};

/// The entries of one map that were not asked for yet.
pub(crate) struct Fields<'t> {
    /// What the map is, in words: "a rule".
    what: &'static str,
    /// Where it begins.
    pub(crate) spot: Spot<'t>,
    entries: Vec<Entry<'t>>,
}

impl<'t> Fields<'t> {
    /// Opens a map, reporting every key that is not among the known ones.
    pub(crate) fn open(
        node: Node<'t>,
        what: &'static str,
        known: &[&str],
        findings: &mut Findings,
    ) -> Option<Self> {
        let Node { spot, value } = node;
        let entries = match value {
            Value::Map(entries) => entries,
            Value::List(_) | Value::Null | Value::Text(_) => {
                let message = format!("{what} is a map of keys and values");
                let hint = format!("its keys are {}", listed(known));
                findings.error(spot, message, Some(hint));
                return None;
            }
        };
        for entry in &entries {
            if !known.contains(&&*entry.key) {
                refuse_key(entry, what, known, findings);
            }
        }
        let spot = entries.first().map_or(spot, |entry| entry.spot);
        Some(Self {
            what,
            spot,
            entries,
        })
    }

    /// Takes out one entry, if there is one of that name.
    pub(crate) fn take(&mut self, name: &str) -> Option<Entry<'t>> {
        let at = self.entries.iter().position(|entry| entry.key == name)?;
        Some(self.entries.swap_remove(at))
    }

    /// The same for an entry that must be there.
    pub(crate) fn require(&mut self, name: &str, findings: &mut Findings) -> Option<Entry<'t>> {
        let entry = self.take(name);
        if entry.is_none() {
            let message = format!("{} without `{name}`", self.what);
            findings.error(self.spot, message, None);
        }
        entry
    }
}

/// An entry's value as one scalar.
pub(crate) fn text<'t>(entry: Entry<'t>, findings: &mut Findings) -> Option<Text<'t>> {
    let Entry { key, spot, value } = entry;
    match value.value {
        Value::Text(text) => Some(Text {
            spot: value.spot,
            text,
        }),
        Value::Null => {
            findings.error(spot, format!("`{key}` without a value"), None);
            None
        }
        Value::List(_) | Value::Map(_) => {
            findings.error(spot, format!("`{key}` takes one value"), None);
            None
        }
    }
}

/// An entry's value as one scalar or a list of them. What is wrong is reported and left out; the key remains given.
pub(crate) fn texts<'t>(entry: Entry<'t>, findings: &mut Findings) -> List<'t> {
    let Entry { key, spot, value } = entry;
    let nodes = match value.value {
        Value::List(nodes) => nodes,
        Value::Map(_) | Value::Null | Value::Text(_) => vec![value],
    };
    if nodes.is_empty() {
        let message = format!("`{key}` with an empty list, which nothing is among");
        let hint = format!("leave `{key}` out to take any");
        findings.error(spot, message, Some(hint));
    }
    let mut values = Vec::with_capacity(nodes.len());
    for node in nodes {
        match node.value {
            Value::Text(text) => values.push(Text {
                spot: node.spot,
                text,
            }),
            Value::Null => findings.error(spot, format!("`{key}` without a value"), None),
            Value::List(_) | Value::Map(_) => {
                let message = format!("`{key}` takes a plain value or a list of them");
                findings.error(spot, message, None);
            }
        }
    }
    List { spot, values }
}

fn refuse_key(entry: &Entry<'_>, what: &str, known: &[&str], findings: &mut Findings) {
    let Entry { key, spot, .. } = entry;
    let message = format!("{what} has no key `{}`", excerpt(key));
    let hint = if key == "<<" {
        "policies do not merge maps; write the keys out".to_owned()
    } else {
        match did_you_mean(key, known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("its keys are {}", listed(known)),
        }
    };
    findings.error(*spot, message, Some(hint));
}

/// The value whose word stands there.
pub(crate) fn one_of<T: Copy>(
    text: &Text<'_>,
    what: &str,
    known: &[(&str, T)],
    findings: &mut Findings,
) -> Option<T> {
    let found = known.iter().find(|(word, _)| *word == text.text);
    if let Some((_, value)) = found {
        return Some(*value);
    }
    let words: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
    let fault = Fault::new(format!("`{}` is not {what}", excerpt(&text.text)));
    let fault = fault.with_hint(match did_you_mean(&text.text, &words) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("write one of {}", listed(&words)),
    });
    findings.fault(text.spot, fault);
    None
}

/// "`a`, `b` and `c`".
pub(crate) fn listed(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [only] => format!("`{only}`"),
        [first @ .., last] => format!("`{}` and `{last}`", first.join("`, `")),
    }
}

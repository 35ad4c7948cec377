//! Named lists: written once, put in wherever a value is `$NAME`.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::diagnostic::{Findings, Spot, excerpt};
use crate::document::Text;
use crate::parse::fields;
use crate::parse::nearest::did_you_mean;
use crate::parse::tree::{Entry, Node, Value};

/// Most values that all lists together may put into one file.
const MAX_FILLED: usize = 1_000_000;

/// The named lists of a policy and of what it includes.
#[derive(Debug, Default)]
pub(crate) struct Lists<'t> {
    values: HashMap<Cow<'t, str>, Vec<Text<'t>>>,
    filled: std::cell::Cell<usize>,
}

// === impl Lists ===

impl<'t> Lists<'t> {
    /// Reads the lists in order; a list may hold lists that stand before it.
    pub(crate) fn read(entries: impl Iterator<Item = Entry<'t>>, findings: &mut Findings) -> Self {
        let mut lists = Self::default();
        for mut entry in entries {
            let (key, spot) = (entry.key.clone(), entry.spot);
            if !is_name(&key) {
                let message = format!("`{}` cannot name a list", excerpt(&key));
                let hint = "letters, digits, `-` and `_`, beginning with a letter".to_owned();
                findings.error(spot, message, Some(hint));
                continue;
            }
            if lists.values.contains_key(&key) {
                let message = format!("a list `{key}` a second time");
                findings.error(spot, message, None);
                continue;
            }
            lists.fill(&mut entry.value, findings);
            let list = fields::texts(entry, findings);
            lists.values.insert(key, list.values);
        }
        lists
    }

    /// Puts the lists in wherever they are named below a node. Schemas are left alone: `$` is theirs.
    pub(crate) fn fill(&self, node: &mut Node<'t>, findings: &mut Findings) {
        match &mut node.value {
            Value::Null => {}
            Value::Text(_) => {
                if let Some(values) = self.named(node, findings) {
                    node.value = Value::List(values);
                }
            }
            Value::List(nodes) => {
                let mut filled = Vec::with_capacity(nodes.len());
                for mut node in std::mem::take(nodes) {
                    match self.named(&mut node, findings) {
                        Some(values) => filled.extend(values),
                        None => {
                            if !matches!(node.value, Value::Text(_)) {
                                self.fill(&mut node, findings);
                            }
                            filled.push(node);
                        }
                    }
                }
                *nodes = filled;
            }
            Value::Map(entries) => {
                for entry in entries {
                    if entry.key != "schema" {
                        self.fill(&mut entry.value, findings);
                    }
                }
            }
        }
    }

    /// The lists by name, for expressions.
    pub(crate) fn into_values(self) -> Vec<(Cow<'t, str>, Vec<Text<'t>>)> {
        let mut values: Vec<_> = self.values.into_iter().collect();
        values.sort_by(|(a, _), (b, _)| a.cmp(b));
        values
    }

    /// The values a node stands for, if it names a list. `$$` is a `$` that names none.
    fn named(&self, node: &mut Node<'t>, findings: &mut Findings) -> Option<Vec<Node<'t>>> {
        let Value::Text(text) = &mut node.value else {
            return None;
        };
        let name = text.strip_prefix('$')?;
        if let Some(rest) = name.strip_prefix('$')
            && is_name(rest)
        {
            *text = Cow::Owned(name.to_owned());
            return None;
        }
        if !is_name(name) {
            return None;
        }
        let Some(values) = self.values.get(name) else {
            self.unknown(name, node.spot, findings);
            return None;
        };
        let filled = self.filled.get() + values.len();
        if filled > MAX_FILLED {
            let message = format!("lists put more than {MAX_FILLED} values into this policy");
            findings.error(node.spot, message, None);
            return Some(Vec::new());
        }
        self.filled.set(filled);
        let node = |Text { spot, text }: &Text<'t>| Node {
            spot: *spot,
            value: Value::Text(text.clone()),
        };
        Some(values.iter().map(node).collect())
    }

    fn unknown(&self, name: &str, spot: Spot<'_>, findings: &mut Findings) {
        let mut known: Vec<&str> = self.values.keys().map(|name| &**name).collect();
        known.sort_unstable();
        let hint = match did_you_mean(name, &known) {
            Some(near) => format!("did you mean `${near}`?"),
            None if known.is_empty() => {
                "`lists` names lists; write `$$` for a value that begins with `$`".to_owned()
            }
            None => format!("the lists are {}", fields::listed(&known)),
        };
        findings.error(spot, format!("there is no list `{name}`"), Some(hint));
    }
}

fn is_name(text: &str) -> bool {
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic());
    begins
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

//! What rules want found and masked in what they allow: read from their text, compiled once, put together where several
//! rules allow the same.

use std::fmt;
use std::sync::Arc;

use enforcer_mask::{Rule, Ruleset, What};

use crate::RuleRef;

pub(crate) mod own;
pub(crate) mod read;
pub(crate) mod sets;

/// What one rule wants masked in the requests it allows, and in their answers.
#[derive(Clone)]
pub struct Mask {
    /// The rule.
    pub rule: RuleRef,
    /// What is looked for, and what becomes of it.
    pub rules: Box<[Rule]>,
    /// Whether values that documentation uses as examples pass.
    pub examples: bool,
    /// The same, compiled.
    pub(crate) set: Arc<Ruleset>,
    /// All of it in words, which tell two apart.
    pub(crate) written: Box<str>,
}

// === impl Mask ===

impl PartialEq for Mask {
    fn eq(&self, other: &Self) -> bool {
        let Self {
            rule,
            rules: _,
            examples: _,
            set: _,
            written,
        } = self;
        (rule, written) == (&other.rule, &other.written)
    }
}

impl Eq for Mask {}

impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mask({}: {self})", self.rule)
    }
}

/// What it does, in words that can follow "with".
impl fmt::Display for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, rule) in self.rules.iter().enumerate() {
            let names: Vec<&str> = rule.what.iter().map(name).collect();
            let comma = if at == 0 { "" } else { "; " };
            write!(f, "{comma}{} of {}", rule.action, names.join(", "))?;
            if let Some(direction) = rule.direction {
                write!(f, " in the {}", direction.name())?;
            }
        }
        Ok(())
    }
}

fn name(what: &What) -> &str {
    match what {
        What::Canary { name, .. } | What::Dictionary { name, .. } | What::Regex { name, .. } => {
            name
        }
        What::Field(name) | What::Header(name) | What::Named(name) | What::Path(name) => name,
    }
}

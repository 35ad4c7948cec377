//! One kind of value, and what rules want done with it.

use std::sync::Arc;

use enforcer_recognize::{Confidence, Detector, Family};

use crate::Action;

/// One kind of value, and what is done with it.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) name: Arc<str>,
    /// What placeholders call it: `US_SSN`.
    pub(crate) label: Arc<str>,
    /// The family of a detector of `recognize`.
    pub(crate) family: Option<Family>,
    pub(crate) canary: bool,
    pub(super) choices: Vec<Choice>,
    pub(super) examples: &'static [&'static str],
}

/// What a rule wants.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    pub(super) least: Confidence,
    /// Its family was named, and not the kind itself.
    pub(super) broad: bool,
    pub(crate) action: Action,
    pub(crate) rule: Arc<str>,
}

// === impl Kind ===

impl Kind {
    pub(super) fn of(detector: &'static Detector) -> Self {
        Self {
            examples: detector.examples,
            family: Some(detector.family),
            ..Self::named(detector.name, detector.name)
        }
    }

    pub(super) fn named(name: &str, label: &str) -> Self {
        Self {
            name: name.into(),
            label: Some(self::label(label))
                .filter(|label| !label.is_empty())
                .unwrap_or_else(|| "VALUE".to_owned())
                .into(),
            family: None,
            canary: false,
            choices: Vec::new(),
            examples: &[],
        }
    }

    /// The strictest; but a rule that names the kind means that, whatever it says of the family.
    pub(super) fn choose(&self, confidence: Confidence) -> Option<&Choice> {
        let fits = |choice: &&Choice| choice.least <= confidence;
        let is_named = |rule: &str| {
            let mut fitting = self.choices.iter().filter(fits);
            fitting.any(|choice| !choice.broad && &*choice.rule == rule)
        };
        let fitting = self
            .choices
            .iter()
            .filter(fits)
            .filter(|choice| !(choice.broad && is_named(&choice.rule)));
        fitting.reduce(|best, next| {
            if next.action > best.action {
                next
            } else {
                best
            }
        })
    }
}

/// `US_SSN`.
pub(super) fn label(name: &str) -> String {
    let mut label = String::new();
    for letter in name.chars().take(40) {
        if letter.is_ascii_alphanumeric() {
            label.push(letter.to_ascii_uppercase());
        } else if !label.is_empty() && !label.ends_with('_') {
            label.push('_');
        }
    }
    label.truncate(label.trim_end_matches('_').len());
    label
}

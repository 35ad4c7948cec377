//! Keywords and patterns in texts.

use crate::condition::Reader;
use crate::diagnostic::{Fault, excerpt};
use crate::document::Text;
use crate::facts::{self, Facts};
use crate::lexicon::{Hits, Term};
use crate::parse::fields::{self, Fields, listed};
use crate::parse::tree::{Entry, Value};
use crate::truth::{Stance, Truth};

/// Keywords and patterns of which one is to be found, in what some roles say.
#[derive(Debug)]
pub(crate) struct TextTest {
    /// None means all.
    roles: Option<Vec<&'static str>>,
    terms: Vec<Term>,
}

impl TextTest {
    pub(crate) const KEYS: [&'static str; 2] = ["contains", "matches"];

    /// Reads keywords alone, or a map of `contains`, `matches` and what else is known here.
    pub(crate) fn read(entry: Entry<'_>, also: &[&str], reader: &mut Reader<'_>) -> Option<Self> {
        let (key, spot) = (entry.key.clone(), entry.spot);
        if !matches!(entry.value.value, Value::Map(_)) {
            let terms = words(entry, reader);
            return Some(Self { roles: None, terms });
        }
        let known: Vec<&str> = also.iter().copied().chain(Self::KEYS).collect();
        let what = "a text's test";
        let mut map = Fields::open(entry.into_value(), what, &known, reader.findings)?;
        let roles = map.take("role").map(|entry| roles(entry, reader));
        let (contains, matches) = (map.take("contains"), map.take("matches"));
        let asks = contains.is_some() || matches.is_some();
        let mut terms = Vec::new();
        if let Some(entry) = contains {
            terms.extend(words(entry, reader));
        }
        if let Some(entry) = matches {
            for Text { spot, text } in fields::texts(entry, reader.findings).values {
                match reader.lexicon.pattern(&text) {
                    Ok(term) => terms.push(term),
                    Err((fault, at)) => reader.findings.fault(spot.inside(&text, at), fault),
                }
            }
        }
        if !asks {
            let message = format!("`{key}` without anything to look for");
            let hint = "add `contains` with keywords, or `matches` with regular expressions";
            reader.findings.error(spot, message, Some(hint.to_owned()));
            return None;
        }
        Some(Self { roles, terms })
    }

    /// Judges what is said to a model.
    pub(crate) fn judge_messages(&self, facts: &Facts<'_, '_>, stance: Stance) -> Truth {
        facts.heard().judge(Truth::No, |heard| {
            let mut spoken = heard
                .iter()
                .filter(|heard| self.speaks_of(heard.role))
                .peekable();
            // A rule that opens for what is said needs something to be said.
            match (spoken.peek(), stance) {
                (None, _) => Truth::No,
                (Some(_), _) => stance.over(spoken.map(|heard| self.judge(&heard.hits))),
            }
        })
    }

    /// Judges every string of the body together.
    pub(crate) fn judge_strings(&self, facts: &Facts<'_, '_>) -> Truth {
        facts.strings().judge(Truth::No, |hits| self.judge(hits))
    }

    /// Judges one text.
    pub(crate) fn judge(&self, hits: &Hits) -> Truth {
        Truth::of(self.terms.iter().any(|term| hits.has(*term)))
    }

    fn speaks_of(&self, role: Option<&str>) -> bool {
        match (&self.roles, role) {
            (None, _) | (_, None) => true,
            (Some(roles), Some(role)) => roles.contains(&role),
        }
    }
}

/// Reads keywords.
fn words(entry: Entry<'_>, reader: &mut Reader<'_>) -> Vec<Term> {
    let mut terms = Vec::new();
    for Text { spot, text } in fields::texts(entry, reader.findings).values {
        match reader.lexicon.word(&text) {
            Ok(term) => terms.push(term),
            Err(fault) => reader.findings.fault(spot, fault),
        }
    }
    terms
}

fn roles(entry: Entry<'_>, reader: &mut Reader<'_>) -> Vec<&'static str> {
    let mut roles = Vec::new();
    for Text { spot, text } in fields::texts(entry, reader.findings).values {
        match facts::vocabulary::ROLES.iter().find(|role| **role == text) {
            Some(role) => roles.push(*role),
            None => reader.findings.fault(spot, no_role(&text)),
        }
    }
    roles
}

fn no_role(text: &str) -> Fault {
    let fault = Fault::new(format!("`{}` is no role", excerpt(text)));
    fault.with_hint(format!(
        "the roles are {}",
        listed(&facts::vocabulary::ROLES)
    ))
}

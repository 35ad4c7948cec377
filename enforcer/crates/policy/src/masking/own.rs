//! `detectors:` a policy's own, read and checked where they stand.

use std::collections::BTreeMap;

use enforcer_mask::What;

use crate::diagnostic::{Fault, Findings, excerpt};
use crate::document::Text;
use crate::parse::fields::{self, Fields, listed};
use crate::parse::tree::Entry;

/// Most detectors of its own that a policy has.
const MAX_OWN: usize = 256;
/// Longest name of one, in bytes; it travels in findings.
const MAX_NAME: usize = 40;
/// What one is made of, one of each.
const KINDS: [&str; 5] = ["regex", "words", "field", "json_path", "canary"];

/// A policy's own detectors, and whether it lets examples pass.
#[derive(Debug, Default)]
pub(crate) struct Detectors {
    own: BTreeMap<Box<str>, Vec<What>>,
    pub(crate) examples: bool,
}

// === impl Detectors ===

impl Detectors {
    /// Reads them.
    pub(crate) fn read(
        entries: Vec<Entry<'_>>,
        examples: Option<Text<'_>>,
        findings: &mut Findings,
    ) -> Self {
        let mut detectors = Self {
            own: BTreeMap::new(),
            examples: examples.is_some_and(|text| allows(&text, findings)),
        };
        for entry in entries {
            let spot = entry.spot;
            let name = entry.key.clone();
            if detectors.own.len() >= MAX_OWN {
                let message = format!("more than {MAX_OWN} detectors in one policy");
                findings.error(spot, message, None);
                break;
            }
            if let Err(fault) = detectors.is_free(&name) {
                findings.fault(spot, fault);
                continue;
            }
            if let Some(own) = own(&name, entry, findings) {
                detectors.own.insert((*name).into(), own);
            }
        }
        detectors
    }

    /// One by its name.
    pub(super) fn named(&self, name: &str) -> Option<&[What]> {
        self.own.get(name).map(Vec::as_slice)
    }

    /// All names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.own.keys().map(|name| &**name)
    }

    fn is_free(&self, name: &str) -> Result<(), Fault> {
        let begins = name.starts_with(|c: char| c.is_ascii_lowercase());
        let sign = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if !begins || name.len() > MAX_NAME || !name.bytes().all(sign) {
            let fault = Fault::new(format!("`{}` cannot name a detector", excerpt(name)));
            return Err(fault
                .with_hint("at most 40 small letters, digits and `_`, beginning with a letter"));
        }
        if super::read::is_known(name) {
            let fault = Fault::new(format!("`{name}` is a detector already"));
            return Err(fault.with_hint("give yours another name"));
        }
        if self.own.contains_key(name) {
            return Err(Fault::new(format!("a detector `{name}` a second time")));
        }
        Ok(())
    }
}

fn allows(text: &Text<'_>, findings: &mut Findings) -> bool {
    fields::one_of(
        text,
        "what becomes of examples",
        &[("allow", true), ("find", false)],
        findings,
    )
    .unwrap_or_default()
}

fn own(name: &str, entry: Entry<'_>, findings: &mut Findings) -> Option<Vec<What>> {
    let spot = entry.spot;
    let known: Vec<&str> = KINDS.into_iter().chain(["longest"]).collect();
    let mut map = Fields::open(entry.into_value(), "a detector", &known, findings)?;
    let longest = map.take("longest");
    let mut given = KINDS.into_iter().filter_map(|key| map.take(key));
    let (Some(kind), None) = (given.next(), given.next()) else {
        let message = "a detector is made of one thing".to_owned();
        let hint = format!("write one of {}", listed(&KINDS));
        findings.error(spot, message, Some(hint));
        return None;
    };
    let at = kind.value.spot;
    let key = kind.key.clone().into_owned();
    if let Some(longest) = &longest
        && key != "regex"
    {
        let message = "`longest` goes with `regex`".to_owned();
        findings.error(longest.spot, message, None);
    }
    let name = name.to_owned();
    let whats = match &*key {
        "regex" => vec![What::Regex {
            name,
            pattern: fields::text(kind, findings)?.text.into_owned(),
            longest: match longest {
                Some(entry) => Some(bytes(entry, findings)?),
                None => None,
            },
        }],
        "words" => vec![What::Dictionary {
            name,
            words: owned(kind, findings)?,
        }],
        "field" => owned(kind, findings)?
            .into_iter()
            .map(What::Field)
            .collect(),
        "json_path" => owned(kind, findings)?.into_iter().map(What::Path).collect(),
        _ => vec![What::Canary {
            name,
            values: owned(kind, findings)?,
        }],
    };
    super::read::try_out(&whats, at, findings).then_some(whats)
}

fn bytes(entry: Entry<'_>, findings: &mut Findings) -> Option<usize> {
    let text = fields::text(entry, findings)?;
    let bytes = text.text.parse().ok().filter(|bytes| *bytes > 0);
    if bytes.is_none() {
        let message = format!("`{}` is no number of bytes", excerpt(&text.text));
        findings.error(text.spot, message, None);
    }
    bytes
}

/// Values as they are kept; none when there are none.
pub(super) fn owned(entry: Entry<'_>, findings: &mut Findings) -> Option<Vec<String>> {
    let values = fields::texts(entry, findings).values;
    let values: Vec<String> = values
        .into_iter()
        .map(|text| text.text.into_owned())
        .collect();
    (!values.is_empty()).then_some(values)
}

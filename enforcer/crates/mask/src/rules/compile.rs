//! Rules of one direction, by what is looked for.

use std::collections::HashMap;

use enforcer_decode::Limits;
use enforcer_recognize::{Confidence, Detector, Family};

use super::kind::{Choice, Kind, label};
use super::path::Path;
use super::{Rule, RuleError, Settings, What};
use crate::custom::{Canary, Custom, Dictionary, Pattern};
use crate::scan::Plan;
use crate::{Action, Direction, Place};

/// What is looked for in texts of one direction.
#[derive(Debug)]
pub(crate) struct Lane {
    pub(crate) kinds: Vec<Kind>,
    /// Those of `recognize`; `kinds` begins with theirs, in the same order.
    pub(crate) plan: Plan,
    pub(crate) customs: Vec<(Custom, usize)>,
    pub(crate) decode: bool,
    pub(crate) layers: Limits,
    pub(crate) watch: bool,
    /// Something is looked for that may come in pieces.
    pub(crate) joins: bool,
    allow_examples: bool,
    fields: HashMap<String, usize>,
    headers: HashMap<String, usize>,
    paths: Vec<(Path, usize)>,
}

/// Builds a lane and gathers what is wrong.
struct Builder<'a> {
    detectors: Vec<&'static Detector>,
    kinds: Vec<Kind>,
    customs: Vec<(Custom, usize)>,
    defined: Vec<(What, usize)>,
    fields: HashMap<String, usize>,
    headers: HashMap<String, usize>,
    paths: Vec<(Path, usize)>,
    problems: &'a mut Vec<RuleError>,
}

// === impl Lane ===

impl Lane {
    pub(super) fn new(
        rules: &[Rule],
        direction: Direction,
        settings: Settings,
        problems: &mut Vec<RuleError>,
    ) -> Self {
        let detectors: Vec<_> = enforcer_recognize::all().collect();
        let mut builder = Builder {
            kinds: detectors
                .iter()
                .map(|detector| Kind::of(detector))
                .collect(),
            detectors,
            customs: Vec::new(),
            defined: Vec::new(),
            fields: HashMap::new(),
            headers: HashMap::new(),
            paths: Vec::new(),
            problems,
        };
        for rule in rules {
            let wanted = rule.direction.is_none_or(|own| own == direction);
            for what in &rule.what {
                builder.add(rule, what, wanted);
            }
        }
        builder.finish(settings)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.kinds.iter().all(|kind| kind.choices.is_empty())
    }

    pub(crate) fn names_places(&self) -> bool {
        !(self.fields.is_empty() && self.headers.is_empty() && self.paths.is_empty())
    }

    pub(crate) fn reads_paths(&self) -> bool {
        !self.paths.is_empty()
    }

    pub(crate) fn tokenizes(&self) -> bool {
        let mut choices = self.kinds.iter().flat_map(|kind| &kind.choices);
        choices.any(|choice| choice.action == Action::Tokenize)
    }

    /// The kind of which all that stands at `place` is, whatever it is.
    pub(crate) fn whole(&self, place: &Place<'_>) -> Option<(usize, &Choice)> {
        let mut all = Vec::new();
        if !self.fields.is_empty()
            && let Some(field) = place.field
        {
            all.extend(self.fields.get(&joined(field)).copied());
        }
        if !self.headers.is_empty()
            && let Some(header) = place.path.strip_prefix("header:")
        {
            all.extend(self.headers.get(&header.to_ascii_lowercase()).copied());
        }
        if place.path.starts_with('$') {
            let here = self
                .paths
                .iter()
                .filter(|(path, _)| path.matches(place.path));
            all.extend(here.map(|(_, kind)| *kind));
        }
        let chosen = all.into_iter().filter_map(|kind| {
            let choice = self.kinds[kind].choose(Confidence::High)?;
            Some((kind, choice))
        });
        chosen.reduce(|best, next| {
            if next.1.action > best.1.action {
                next
            } else {
                best
            }
        })
    }

    /// What is done with a value of this kind; none where no rule cares.
    pub(crate) fn choice(
        &self,
        kind: usize,
        confidence: Confidence,
        value: &[u8],
    ) -> Option<&Choice> {
        let kind = self.kinds.get(kind)?;
        let choice = kind.choose(confidence)?;
        let example = self.allow_examples
            && kind
                .examples
                .iter()
                .any(|example| example.as_bytes() == value);
        (!example).then_some(choice)
    }
}

// === impl Builder ===

impl Builder<'_> {
    fn add(&mut self, rule: &Rule, what: &What, wanted: bool) {
        let kinds = match what {
            What::Canary { .. } | What::Dictionary { .. } | What::Regex { .. } => {
                self.define(rule, what).into_iter().collect()
            }
            What::Field(name) => {
                self.place(rule, name, joined(name), |own| &mut own.fields, "field")
            }
            What::Header(name) => {
                let key = name.to_ascii_lowercase();
                self.place(rule, name, key, |own| &mut own.headers, "header")
            }
            What::Named(name) => self.named(rule, name),
            What::Path(path) => self.path(rule, path),
        };
        if !wanted {
            return;
        }
        let broad = match what {
            What::Named(name) => name == "all" || family(name).is_some(),
            What::Canary { .. }
            | What::Dictionary { .. }
            | What::Field(_)
            | What::Header(_)
            | What::Path(_)
            | What::Regex { .. } => false,
        };
        for kind in kinds {
            self.kinds[kind].choices.push(Choice {
                least: rule.least,
                broad,
                action: rule.action,
                rule: rule.id.as_str().into(),
            });
        }
    }

    fn named(&mut self, rule: &Rule, name: &str) -> Vec<usize> {
        let family = family(name);
        let fits = |detector: &&Detector| {
            name == "all" || detector.name == name || family == Some(detector.family)
        };
        let kinds: Vec<_> = (0..)
            .zip(&self.detectors)
            .filter(|(_, detector)| fits(detector))
            .map(|(kind, _)| kind)
            .collect();
        if !kinds.is_empty() || family.is_some() || name == "all" {
            return kinds;
        }
        let names = self.detectors.iter().map(|detector| detector.name);
        let known = names.chain(["all", "crypto", "pii", "secret"]);
        let nearest = known
            .map(|known| (strsim::damerau_levenshtein(known, name), known))
            .min()
            .filter(|(distance, known)| *distance <= 1 + known.len() / 3);
        self.problems.push(RuleError::Unknown {
            rule: rule.id.clone(),
            name: name.to_owned(),
            nearest: nearest.map(|(_, known)| known.to_owned()),
        });
        Vec::new()
    }

    fn define(&mut self, rule: &Rule, what: &What) -> Option<usize> {
        let (What::Canary { name, .. } | What::Dictionary { name, .. } | What::Regex { name, .. }) =
            what
        else {
            return None;
        };
        if let Some((_, kind)) = self.defined.iter().find(|(known, _)| known == what) {
            return Some(*kind);
        }
        let built = self.check_name(rule, name).and_then(|()| match what {
            What::Canary { values, .. } => Canary::new(&rule.id, name, values).map(Custom::Canary),
            What::Dictionary { words, .. } => {
                Dictionary::new(&rule.id, name, words).map(Custom::Dictionary)
            }
            What::Regex {
                pattern, longest, ..
            } => Pattern::new(&rule.id, name, pattern, *longest)
                .map(|pattern| Custom::Pattern(Box::new(pattern))),
            What::Field(_) | What::Header(_) | What::Named(_) | What::Path(_) => {
                Err(empty(&rule.id, name))
            }
        });
        match built {
            Ok(custom) => {
                let kind = self.kind(name, name);
                self.kinds[kind].canary = matches!(what, What::Canary { .. });
                self.customs.push((custom, kind));
                self.defined.push((what.clone(), kind));
                Some(kind)
            }
            Err(problem) => {
                self.problems.push(problem);
                None
            }
        }
    }

    fn check_name(&self, rule: &Rule, name: &str) -> Result<(), RuleError> {
        let (rule, name) = (rule.id.clone(), name.to_owned());
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if name.len() > 40
            || !name.starts_with(|first: char| first.is_ascii_lowercase())
            || !name.bytes().all(plain)
        {
            return Err(RuleError::Name { rule, name });
        }
        let group = name == "all" || family(&name).is_some();
        if group || self.detectors.iter().any(|detector| detector.name == name) {
            return Err(RuleError::Taken { rule, name });
        }
        Ok(())
    }

    fn place(
        &mut self,
        rule: &Rule,
        name: &str,
        key: String,
        table: impl Fn(&mut Self) -> &mut HashMap<String, usize>,
        sort: &str,
    ) -> Vec<usize> {
        if key.is_empty() {
            self.problems.push(empty(&rule.id, sort));
            return Vec::new();
        }
        if let Some(kind) = table(self).get(&key) {
            return vec![*kind];
        }
        let kind = self.kind(&format!("{sort}:{key}"), name);
        table(self).insert(key, kind);
        vec![kind]
    }

    fn path(&mut self, rule: &Rule, text: &str) -> Vec<usize> {
        match Path::parse(text) {
            Ok(path) => {
                let known = self.paths.iter().find(|(known, _)| *known == path);
                if let Some((_, kind)) = known {
                    return vec![*kind];
                }
                let name = text
                    .rsplit(['.', '[', '\''])
                    .find(|part| !label(part).is_empty());
                let kind = self.kind(&format!("path:{text}"), name.unwrap_or("value"));
                self.paths.push((path, kind));
                vec![kind]
            }
            Err(why) => {
                self.problems.push(RuleError::Path {
                    rule: rule.id.clone(),
                    path: text.to_owned(),
                    why,
                });
                Vec::new()
            }
        }
    }

    fn kind(&mut self, name: &str, label: &str) -> usize {
        self.kinds.push(Kind::named(name, label));
        self.kinds.len() - 1
    }

    fn finish(self, settings: Settings) -> Lane {
        let Self {
            detectors,
            kinds,
            mut customs,
            defined: _,
            fields,
            headers,
            paths,
            problems: _,
        } = self;
        let awake = |kind: usize| !kinds[kind].choices.is_empty();
        let plan = Plan::new((0..).zip(detectors).filter(|(kind, _)| awake(*kind)));
        customs.retain(|(_, kind)| awake(*kind));
        Lane {
            plan,
            customs,
            decode: settings.decode,
            layers: Limits::default(),
            watch: settings.watch,
            joins: kinds.iter().any(|kind| {
                let secret = kind.canary || kind.family == Some(Family::Secret);
                secret && !kind.choices.is_empty()
            }),
            allow_examples: settings.allow_examples,
            fields: fields
                .into_iter()
                .filter(|(_, kind)| awake(*kind))
                .collect(),
            headers: headers
                .into_iter()
                .filter(|(_, kind)| awake(*kind))
                .collect(),
            paths: paths.into_iter().filter(|(_, kind)| awake(*kind)).collect(),
            kinds,
        }
    }
}

fn family(name: &str) -> Option<Family> {
    match name {
        "crypto" => Some(Family::Crypto),
        "pii" => Some(Family::Pii),
        "secret" => Some(Family::Secret),
        _ => None,
    }
}

fn empty(rule: &str, name: &str) -> RuleError {
    RuleError::Empty {
        rule: rule.to_owned(),
        name: name.to_owned(),
    }
}

/// A field's name without what joins its parts: `creditCard`, `credit_card` and `Credit-Card` are one.
fn joined(name: &str) -> String {
    let letters = name.chars().filter(|letter| letter.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

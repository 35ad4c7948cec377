//! Checked policies to a set that answers quickly.

use std::fmt;
use std::sync::Arc;

use enforcer_flow::Protocol;
use foldhash::{HashMap, HashMapExt};
use sha2::{Digest, Sha256};

use crate::cel::Language;
use crate::check::{Checked, CheckedRule, Effect, More, Tools, check};
use crate::compile::host::HostIndex;
use crate::compile::method::Method;
use crate::compile::path::PathPattern;
use crate::compile::reach::Reach;
use crate::compile::sieve::{Field, Key, MAX_VALUES, Sieve, Told};
use crate::diagnostic::{Findings, Spot};
use crate::lexicon::{Automata, Lexicon};
use crate::masking::sets::Sets;
use crate::parse::include;
use crate::scope::{Scope, Subject};
use crate::{Amount, AnswerNeeds, Diagnostic, Obligation, RuleRef, parse};

pub(crate) mod cidr;
pub(crate) mod glob;
pub(crate) mod host;
pub(crate) mod listing;
pub(crate) mod method;
pub(crate) mod overlap;
pub(crate) mod path;
pub(crate) mod reach;
pub(crate) mod sieve;

/// One policy file's text.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The file, as diagnostics shall show it.
    pub name: &'a str,
    /// What is in it.
    pub text: &'a str,
}

/// Policies, checked and compiled.
pub struct PolicySet {
    /// Sorted by name.
    pub(crate) policies: Box<[Policy]>,
    by_name: HashMap<Box<str>, u32>,
    /// Those that are for whom no label names one, by whom they are for.
    by_scope: Sieve,
    digest: Box<str>,
    /// All keywords and patterns.
    pub(crate) automata: Automata,
    /// What the rules about answers need, all together.
    pub(crate) answers: AnswerNeeds,
    estimates: bool,
    masks: Sets,
}

/// One policy of a set.
pub(crate) struct Policy {
    pub(crate) name: Box<str>,
    scope: Scope,
    /// In the order of the file.
    pub(crate) rules: Box<[Rule]>,
    pub(crate) index: HostIndex,
}

/// One rule of a policy, less the places, which the index knows.
pub(crate) struct Rule {
    pub(crate) name: RuleRef,
    pub(crate) effect: Effect,
    pub(crate) reach: Reach,
    pub(crate) methods: Option<Box<[Method]>>,
    pub(crate) paths: Option<Box<[PathPattern]>>,
    /// What it says beyond these, if it says more.
    pub(crate) more: Option<Box<More>>,
}

// === impl PolicySet ===

impl PolicySet {
    /// Compiles sources into a set, with warnings beside it. Sources whose names end in `.inc.yaml` are no policies; they are
    /// there for others to include.
    ///
    /// # Errors
    /// All findings in all sources, warnings among them, when at least one is an error.
    pub fn compile(sources: &[Source<'_>]) -> Result<(Self, Vec<Diagnostic>), Vec<Diagnostic>> {
        let mut names: HashMap<String, String> = HashMap::new();
        let mut policies: Vec<Policy> = Vec::with_capacity(sources.len());
        let (mut lexicon, language) = (Lexicon::default(), Language::new());
        let mut found = Vec::new();
        for source in sources.iter().filter(|own| !include::is_include(own.name)) {
            let mut findings = Findings::new(source.name);
            let document = parse::document(source, sources, &mut findings);
            let mut tools = Tools {
                findings: &mut findings,
                lexicon: &mut lexicon,
                language: &language,
            };
            let checked = document.and_then(|document| check(document, &mut tools));
            if let Some(checked) = checked {
                refuse_duplicate(&checked, source.name, &mut names, &mut findings);
                policies.push(Policy::new(checked, &mut findings));
            }
            found.extend(findings.into_sorted());
        }
        // What several policies include is found as often, and told once.
        let mut told = std::collections::HashSet::new();
        found.retain(|diagnostic| told.insert(diagnostic.to_string()));
        let automata = lexicon.compile().map_err(|fault| {
            let file = sources.first().map_or("", |source| source.name);
            let finding = Diagnostic::of_file(crate::Severity::Error, file, fault.message);
            found.iter().cloned().chain([finding]).collect::<Vec<_>>()
        })?;
        if found.iter().any(Diagnostic::is_error) {
            return Err(found);
        }
        policies.sort_by(|a, b| a.name.cmp(&b.name));
        let digest = fingerprint(sources);
        Ok((Self::new(policies.into(), digest, automata), found))
    }

    /// The set without policies: every answer is no.
    #[must_use]
    pub fn deny_all() -> Self {
        Self::new(Box::default(), fingerprint(&[]), Automata::default())
    }

    /// A fingerprint of the sources, `sha256:` and hexadecimal digits: equal for equal texts, whatever their order and
    /// file names.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// How many rules there are in all policies.
    #[must_use]
    pub fn rules(&self) -> usize {
        self.policies.iter().map(|policy| policy.rules.len()).sum()
    }

    /// What rules ask for beside their verdicts.
    pub fn obligations(&self) -> impl Iterator<Item = &Obligation> {
        let rules = self.policies.iter().flat_map(|policy| &policy.rules);
        rules
            .filter_map(|rule| rule.more.as_deref())
            .flat_map(|more| more.obligations.iter())
    }

    /// Whether some rule asks what a request will take, or limits it, so that [`crate::Estimate`] is worth its time.
    #[must_use]
    pub fn reads_estimates(&self) -> bool {
        self.estimates
    }

    /// What a decision's obligations want masked, all together; none when they want nothing masked. The obligations must
    /// be those of a decision of this set.
    ///
    /// # Errors
    /// When together they are more than can be looked for at once. Who gets this must refuse.
    pub fn ruleset(
        &self,
        obligations: &[Obligation],
    ) -> Result<Option<Arc<enforcer_mask::Ruleset>>, Vec<enforcer_mask::RuleError>> {
        self.masks.of(obligations)
    }

    /// The policies' names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.policies.iter().map(|policy| &*policy.name)
    }

    /// The policies that judge a workload: the one its label names, or those that apply to it. None when there is no
    /// policy of the name its label has.
    pub(crate) fn scope(
        &self,
        subject: Subject<'_>,
    ) -> Option<impl Iterator<Item = &Policy> + Clone> {
        let places = match &subject.workload.policy {
            Some(name) => vec![*self.by_name.get(&**name)?],
            None => self.applying(&subject),
        };
        let policy = |at: u32| self.policies.get(at as usize);
        Some(places.into_iter().filter_map(policy))
    }

    /// The places of the policies that apply to a workload without a label, in their order.
    fn applying(&self, subject: &Subject<'_>) -> Vec<u32> {
        let mut places = Vec::new();
        self.by_scope.visit(Some(&Told::of(*subject)), &mut |at| {
            let policy = self.policies.get(at as usize);
            if policy.is_some_and(|policy| policy.scope.has(subject)) {
                places.push(at);
            }
        });
        places.sort_unstable();
        places.dedup();
        places
    }

    fn new(policies: Box<[Policy]>, digest: Box<str>, automata: Automata) -> Self {
        let rules = policies.iter().flat_map(|policy| &policy.rules);
        let answers = rules
            .filter_map(Rule::answer)
            .fold(AnswerNeeds::NONE, |all, answer| all.or(answer.needs()));
        let mut rules = policies.iter().flat_map(|policy| &policy.rules);
        let estimates = rules.any(Rule::reads_estimate);
        let named = (0u32..).zip(&policies);
        let scopes: Vec<(u32, Vec<Key>)> = named
            .clone()
            .map(|(at, policy)| (at, policy.scope.keys()))
            .collect();
        let by_name = named
            .map(|(at, policy)| (policy.name.clone(), at))
            .collect();
        Self {
            policies,
            by_name,
            by_scope: Sieve::new(&scopes),
            digest,
            automata,
            answers,
            estimates,
            masks: Sets::default(),
        }
    }
}

impl fmt::Debug for PolicySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.names().collect();
        f.debug_struct("PolicySet")
            .field("policies", &names)
            .field("rules", &self.rules())
            .field("digest", &self.digest)
            .finish()
    }
}

// === impl Policy ===

impl Policy {
    fn new(checked: Checked<'_>, findings: &mut Findings) -> Self {
        let Checked {
            name,
            scope,
            mask,
            rules: checked,
        } = checked;
        let mut index = HostIndex::new();
        for (at, rule) in (0u32..).zip(&checked) {
            for place in &rule.places {
                index.insert(place, at);
            }
        }
        let mut rules = Vec::with_capacity(checked.len());
        let mut places: Vec<(Spot<'_>, Vec<host::Place>)> = Vec::with_capacity(checked.len());
        for rule in checked {
            let (rule, place) = Rule::new(rule);
            rules.push(rule);
            places.push(place);
        }
        index.finish(&rules);
        let mut policy = Self {
            name: name.text.into(),
            scope,
            rules: rules.into(),
            index,
        };
        // Of rules that were not read to their end nothing is sure.
        if !findings.refuse() {
            overlap::report(&policy, &places, findings);
        }
        for rule in &mut policy.rules {
            rule.mask(mask.as_ref());
        }
        policy
    }
}

// === impl Rule ===

impl Rule {
    fn new<'t>(rule: CheckedRule<'t>) -> (Self, (Spot<'t>, Vec<host::Place>)) {
        let CheckedRule {
            spot,
            effect,
            name,
            places,
            reach,
            methods,
            paths,
            more,
        } = rule;
        let rule = Self {
            name,
            effect,
            reach,
            methods: methods.map(Into::into),
            paths: paths.map(Into::into),
            more: (!more.is_empty()).then(|| Box::new(more)),
        };
        (rule, (spot, places))
    }

    /// Has what it allows masked, too, where that can be looked into.
    fn mask(&mut self, mask: Option<&Obligation>) {
        let opened = [Protocol::Http, Protocol::Https];
        let opened = opened.iter().any(|own| self.reach.protocols.has(*own));
        if let Some(mask) = mask
            && self.effect.opens()
            && opened
        {
            let more = self.more.get_or_insert_default();
            more.obligations.push(mask.clone());
        }
    }

    fn reads_estimate(&self) -> bool {
        let counted = |obligation: &Obligation| match obligation {
            Obligation::Limit(limit) => !matches!(limit.amount, Amount::Requests(_)),
            Obligation::Inject(_)
            | Obligation::Mask(_)
            | Obligation::Record(_)
            | Obligation::Sign(_) => false,
        };
        self.more.as_ref().is_some_and(|more| {
            more.conditions.iter().any(|own| own.reads_estimate())
                || more.when.as_ref().is_some_and(|when| when.reads_estimate())
                || more.obligations.iter().any(counted)
        })
    }

    /// What it can be found by, its paths apart.
    pub(crate) fn keys(&self) -> Vec<Key> {
        let mut keys = Vec::new();
        if let Some(ports) = self.reach.few_ports(MAX_VALUES) {
            let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
            keys.push(Key::new(Field::Port, ports.iter().map(String::as_str)));
        }
        if let Some(methods) = &self.methods {
            keys.push(Key::new(Field::Method, methods.iter().map(Method::as_str)));
        }
        let more = self.more.iter().flat_map(|more| &more.conditions);
        more.for_each(|condition| condition.keys(&mut keys));
        keys
    }

    /// What it says about answers, if it is about them.
    pub(crate) fn answer(&self) -> Option<&crate::condition::answer::AnswerTest> {
        self.more.as_ref()?.answer.as_ref()
    }
}

fn refuse_duplicate(
    checked: &Checked<'_>,
    file: &str,
    names: &mut HashMap<String, String>,
    findings: &mut Findings,
) {
    let name = &checked.name;
    if let Some(other) = names.get(&*name.text) {
        let message = format!("policy name `{}` a second time", name.text);
        let hint = format!("`{other}` has it already");
        findings.error(name.spot, message, Some(hint));
        return;
    }
    names.insert(name.text.clone().into_owned(), file.to_owned());
}

/// Hashes names and texts in their order, each after its length, so that nothing can move from one into the other. Files
/// that are included count by their names, policies by what is in them.
fn fingerprint(sources: &[Source<'_>]) -> Box<str> {
    let mut parts: Vec<(&str, &str)> = sources
        .iter()
        .map(|source| match include::is_include(source.name) {
            true => (
                source.name.rsplit('/').next().unwrap_or_default(),
                source.text,
            ),
            false => ("", source.text),
        })
        .collect();
    parts.sort_unstable();
    let mut hash = Sha256::new();
    for (name, text) in parts {
        for part in [name, text] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
    }
    let hex: String = hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("sha256:{hex}").into()
}

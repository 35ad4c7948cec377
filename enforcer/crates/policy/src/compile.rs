//! Checked policies to a set that answers quickly.

use std::fmt;

use foldhash::{HashMap, HashMapExt};
use sha2::{Digest, Sha256};

use crate::check::{Checked, CheckedRule, Effect, check};
use crate::compile::glob::Glob;
use crate::compile::host::HostIndex;
use crate::compile::method::Method;
use crate::compile::path::PathPattern;
use crate::compile::reach::Reach;
use crate::diagnostic::{Findings, Spot};
use crate::{Diagnostic, RuleRef, parse};

pub(crate) mod cidr;
pub(crate) mod glob;
pub(crate) mod host;
pub(crate) mod listing;
pub(crate) mod method;
pub(crate) mod overlap;
pub(crate) mod path;
pub(crate) mod reach;

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
    by_name: HashMap<Box<str>, usize>,
    digest: Box<str>,
}

/// One policy of a set.
pub(crate) struct Policy {
    pub(crate) name: Box<str>,
    /// Which workloads it is for when their labels name none; none means all.
    workloads: Option<Box<[Glob]>>,
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
}

// === impl PolicySet ===

impl PolicySet {
    /// Compiles sources into a set, with warnings beside it.
    ///
    /// # Errors
    /// All findings in all sources, warnings among them, when at least one is an error.
    pub fn compile(sources: &[Source<'_>]) -> Result<(Self, Vec<Diagnostic>), Vec<Diagnostic>> {
        let mut names: HashMap<String, String> = HashMap::new();
        let mut policies: Vec<(Policy, &str)> = Vec::with_capacity(sources.len());
        let mut found = Vec::new();
        for Source { name: file, text } in sources {
            let mut findings = Findings::new(file);
            let checked = parse::document(text, &mut findings)
                .and_then(|document| check(document, &mut findings));
            if let Some(checked) = checked {
                refuse_duplicate(&checked, file, &mut names, &mut findings);
                policies.push((Policy::new(checked, &mut findings), text));
            }
            found.extend(findings.into_sorted());
        }
        if found.iter().any(Diagnostic::is_error) {
            return Err(found);
        }
        policies.sort_by(|(a, _), (b, _)| a.name.cmp(&b.name));
        let digest = fingerprint(policies.iter().map(|(policy, text)| (&*policy.name, *text)));
        let policies: Box<[Policy]> = policies.into_iter().map(|(policy, _)| policy).collect();
        Ok((Self::new(policies, digest), found))
    }

    /// The set without policies: every answer is no.
    #[must_use]
    pub fn deny_all() -> Self {
        Self::new(Box::default(), fingerprint([].into_iter()))
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

    /// The policies' names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.policies.iter().map(|policy| &*policy.name)
    }

    /// The policies that judge a workload: the one its label names, or those that apply to it. None when there is no
    /// policy of the name its label has.
    pub(crate) fn scope<'s>(
        &'s self,
        workload: &'s enforcer_flow::Workload,
    ) -> Option<impl Iterator<Item = &'s Policy> + Clone> {
        let (policies, labelled) = match &workload.policy {
            Some(name) => (
                std::slice::from_ref(self.policies.get(*self.by_name.get(&**name)?)?),
                true,
            ),
            None => (&*self.policies, false),
        };
        Some(
            policies
                .iter()
                .filter(move |policy| labelled || policy.applies_to(&workload.name)),
        )
    }

    fn new(policies: Box<[Policy]>, digest: Box<str>) -> Self {
        let named = policies.iter().enumerate();
        let by_name = named
            .map(|(at, policy)| (policy.name.clone(), at))
            .collect();
        Self {
            policies,
            by_name,
            digest,
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
            workloads,
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
            let (rule, place) = Rule::new(&name.text, rule);
            rules.push(rule);
            places.push(place);
        }
        index.finish(&rules);
        let policy = Self {
            name: name.text.into(),
            workloads: workloads.map(Into::into),
            rules: rules.into(),
            index,
        };
        overlap::report(&policy, &places, findings);
        policy
    }

    fn applies_to(&self, workload: &str) -> bool {
        self.workloads
            .as_ref()
            .is_none_or(|globs| globs.iter().any(|glob| glob.matches(workload.as_bytes())))
    }
}

// === impl Rule ===

impl Rule {
    fn new<'t>(policy: &str, rule: CheckedRule<'t>) -> (Self, (Spot<'t>, Vec<host::Place>)) {
        let CheckedRule {
            spot,
            id,
            effect,
            reason,
            places,
            reach,
            methods,
            paths,
        } = rule;
        let rule = Self {
            name: RuleRef::new(policy, &id, reason.as_deref()),
            effect,
            reach,
            methods: methods.map(Into::into),
            paths: paths.map(Into::into),
        };
        (rule, (spot, places))
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

/// Hashes names and texts, each after its length, so that nothing can move from one into the other.
fn fingerprint<'a>(policies: impl Iterator<Item = (&'a str, &'a str)>) -> Box<str> {
    let mut hash = Sha256::new();
    for (name, text) in policies {
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

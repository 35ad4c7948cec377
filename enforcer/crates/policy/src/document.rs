//! The shape of a policy's text: which keys there are and what kind of value each takes.
//!
//! Values keep their place and stay text here; what they mean is for `check` to say. The full language grows by adding
//! keys to these tables; the keys of version 1 keep their meaning.

use std::borrow::Cow;

use crate::diagnostic::Spot;
use crate::parse::tree::{Entry, Node};

/// A whole file, with what it includes.
#[derive(Debug)]
pub(crate) struct Document<'t> {
    pub(crate) version: Option<Text<'t>>,
    pub(crate) name: Option<Text<'t>>,
    pub(crate) applies_to: Option<AppliesTo<'t>>,
    /// The named lists, for expressions; elsewhere they are put in already.
    pub(crate) lists: Vec<(Cow<'t, str>, Vec<Text<'t>>)>,
    /// Detectors of the policy's own, by their names.
    pub(crate) detectors: Vec<Entry<'t>>,
    /// Whether values that documentation uses as examples pass.
    pub(crate) examples: Option<Text<'t>>,
    /// What is masked in everything that the policy allows.
    pub(crate) mask: Option<Entry<'t>>,
    pub(crate) rules: Vec<Rule<'t>>,
}

/// Which workloads a policy is for when their labels name none. All that is given must hold.
#[derive(Debug, Default)]
pub(crate) struct AppliesTo<'t> {
    pub(crate) workloads: Option<List<'t>>,
    pub(crate) images: Option<List<'t>>,
    pub(crate) containers: Option<List<'t>>,
    pub(crate) pods: Option<List<'t>>,
    pub(crate) namespaces: Option<List<'t>>,
    pub(crate) units: Option<List<'t>>,
    pub(crate) principals: Option<List<'t>>,
    pub(crate) groups: Option<List<'t>>,
    /// Labels by their names.
    pub(crate) labels: Vec<(Cow<'t, str>, List<'t>)>,
}

/// One rule. A field that is required and none was reported when it was read.
#[derive(Debug)]
pub(crate) struct Rule<'t> {
    pub(crate) spot: Spot<'t>,
    pub(crate) id: Option<Text<'t>>,
    pub(crate) effect: Option<Text<'t>>,
    pub(crate) reason: Option<Text<'t>>,
    pub(crate) inspect: Option<Text<'t>>,
    pub(crate) action: Option<Text<'t>>,
    pub(crate) when: Option<Text<'t>>,
    pub(crate) obligations: Vec<Entry<'t>>,
    pub(crate) matches: Option<Match<'t>>,
}

/// What a rule speaks of. All fields given must hold; a list holds when one of its values does.
#[derive(Debug)]
pub(crate) struct Match<'t> {
    pub(crate) host: Option<List<'t>>,
    pub(crate) cidr: Option<List<'t>>,
    pub(crate) port: Option<List<'t>>,
    pub(crate) protocol: Option<List<'t>>,
    pub(crate) method: Option<List<'t>>,
    pub(crate) path: Option<List<'t>>,
    /// The other fields, each of which its own room reads.
    pub(crate) more: Vec<Entry<'t>>,
}

/// One value or a list of values, under a key.
#[derive(Debug)]
pub(crate) struct List<'t> {
    /// The key.
    pub(crate) spot: Spot<'t>,
    pub(crate) values: Vec<Text<'t>>,
}

/// A scalar and its place.
#[derive(Clone, Debug)]
pub(crate) struct Text<'t> {
    pub(crate) spot: Spot<'t>,
    pub(crate) text: Cow<'t, str>,
}

/// A file that policies include: lists, detectors and rules, and nothing else.
#[derive(Debug, Default)]
pub(crate) struct Fragment<'t> {
    pub(crate) lists: Vec<Entry<'t>>,
    pub(crate) detectors: Vec<Entry<'t>>,
    pub(crate) rules: Vec<Node<'t>>,
}

impl Document<'_> {
    pub(crate) const KEYS: [&'static str; 9] = [
        "version",
        "name",
        "applies_to",
        "include",
        "lists",
        "detectors",
        "examples",
        "mask",
        "rules",
    ];
}

impl Fragment<'_> {
    pub(crate) const KEYS: [&'static str; 4] = ["version", "lists", "detectors", "rules"];
}

impl AppliesTo<'_> {
    pub(crate) const KEYS: [&'static str; 9] = [
        "workloads",
        "images",
        "containers",
        "pods",
        "namespaces",
        "units",
        "principals",
        "groups",
        "labels",
    ];
}

impl Rule<'_> {
    pub(crate) const KEYS: [&'static str; 7] = [
        "id", "effect", "reason", "inspect", "action", "match", "when",
    ];
    /// What must be done with what is allowed.
    pub(crate) const OBLIGATIONS: [&'static str; 5] = ["inject", "limit", "mask", "record", "sign"];
}

impl Match<'_> {
    /// The fields about the place and the first line of a request; `condition` has the others.
    pub(crate) const KEYS: [&'static str; 6] =
        ["host", "cidr", "port", "protocol", "method", "path"];
}

//! The shape of a policy's text: which keys there are and what kind of value each takes.
//!
//! Values keep their place and stay text here; what they mean is for `check` to say. The full language grows by adding
//! keys to these tables; the keys of version 1 keep their meaning.

use std::borrow::Cow;

use crate::diagnostic::Spot;

/// A whole file.
#[derive(Debug)]
pub(crate) struct Document<'t> {
    pub(crate) version: Option<Text<'t>>,
    pub(crate) name: Option<Text<'t>>,
    pub(crate) applies_to: Option<AppliesTo<'t>>,
    pub(crate) rules: Vec<Rule<'t>>,
}

/// Which workloads a policy is for when their labels name none.
#[derive(Debug)]
pub(crate) struct AppliesTo<'t> {
    pub(crate) workloads: Option<List<'t>>,
}

/// One rule. A field that is required and none was reported when it was read.
#[derive(Debug)]
pub(crate) struct Rule<'t> {
    pub(crate) spot: Spot<'t>,
    pub(crate) id: Option<Text<'t>>,
    pub(crate) effect: Option<Text<'t>>,
    pub(crate) reason: Option<Text<'t>>,
    pub(crate) inspect: Option<Text<'t>>,
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

impl Document<'_> {
    pub(crate) const KEYS: [&'static str; 4] = ["version", "name", "applies_to", "rules"];
}

impl AppliesTo<'_> {
    pub(crate) const KEYS: [&'static str; 1] = ["workloads"];
}

impl Rule<'_> {
    pub(crate) const KEYS: [&'static str; 5] = ["id", "effect", "reason", "inspect", "match"];
}

impl Match<'_> {
    pub(crate) const KEYS: [&'static str; 6] =
        ["host", "cidr", "port", "protocol", "method", "path"];
}

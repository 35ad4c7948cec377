//! What a container's runtime, or a hook that runs before it, says and asks.

use enforcer_identity::Via;
use serde::{Deserialize, Serialize};

/// A container that is about to start: it has its cgroup and its namespaces, and nothing of its own runs in it yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Newcomer {
    /// What its engine calls it.
    pub id: String,
    /// The process that will become its first, in our pid namespace.
    pub pid: u32,
    /// The policy that decides for it; without it every policy that applies to it by its own terms.
    #[serde(default)]
    pub policy: Option<String>,
    /// For whom it works, as whoever made it says.
    #[serde(default)]
    pub principal: Option<String>,
    /// The groups of that one, with commas between them.
    #[serde(default)]
    pub groups: Option<String>,
    /// Where its root is, as that process sees it: it has not changed its root yet.
    #[serde(default)]
    pub root: Option<String>,
    /// Who says so.
    pub via: Via,
}

/// The policy that was chosen for a container that is about to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chosen {
    /// Its name; without it every policy that applies to the container by its own terms.
    pub policy: Option<String>,
    /// Who chose: the container's label, or the configuration.
    pub by: String,
}

//! Names of things that exist once.

use std::fmt;

use serde::Serialize;
use uuid::Uuid;

/// One connection of an agent, from accept to close. Time-ordered (UUID version 7, RFC 9562).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct FlowId(Uuid);

/// One ask and its answer inside a flow: a request, a query, an opaque stream. Time-ordered (UUID version 7, RFC 9562).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct ExchangeId(Uuid);

/// A cgroup v2 directory's id: its inode number, as `bpf_get_current_cgroup_id()` returns it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct CgroupId(pub u64);

/// A network namespace's cookie, as `SO_NETNS_COOKIE` (socket(7)) and `bpf_get_netns_cookie()` return it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct NetnsCookie(pub u64);

// === impl FlowId ===

impl FlowId {
    /// A new name.
    #[must_use]
    #[expect(
        clippy::new_without_default,
        reason = "a default identifier would suggest that two may be equal"
    )]
    pub fn new() -> Self {
        Self(Uuid::now_v7())
    }
}

impl fmt::Display for FlowId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

// === impl ExchangeId ===

impl ExchangeId {
    /// A new name.
    #[must_use]
    #[expect(
        clippy::new_without_default,
        reason = "a default identifier would suggest that two may be equal"
    )]
    pub fn new() -> Self {
        Self(Uuid::now_v7())
    }
}

impl fmt::Display for ExchangeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

// === impl CgroupId ===

impl fmt::Display for CgroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

// === impl NetnsCookie ===

impl fmt::Display for NetnsCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

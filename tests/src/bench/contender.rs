//! Who is measured: the same traffic three ways.

use std::{
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
    path::PathBuf,
};

use serde::Serialize;

/// Fixed ports do not collide: the namespace is empty but for us.
pub(super) const UPSTREAM: SocketAddr = local(8443);
pub(super) const EVENT_UPSTREAM: SocketAddr = local(8444);
pub(super) const PEER_OPENED: SocketAddr = local(9443);
pub(super) const PEER_OPAQUE: SocketAddr = local(9444);
pub(super) const PEER_H2: SocketAddr = local(9445);

/// Where a captured agent believes to connect to; a documentation address that leads nowhere by itself.
pub(super) const ANYWHERE: SocketAddr =
    SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::new(198, 51, 100, 10), 443));

/// A name in the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Name {
    Direct,
    Enforcer,
    Haproxy,
}

/// One way for the traffic to take.
#[derive(Debug, Clone)]
pub(super) struct Contender {
    pub(super) name: Name,
    /// Where connections go that are opened on the way, for the API and for the event streams.
    pub(super) api: SocketAddr,
    pub(super) events: SocketAddr,
    /// Where connections go that want h2.
    pub(super) h2: SocketAddr,
    /// Where connections go that are passed on as they are.
    pub(super) opaque: SocketAddr,
    /// Where bare connects go. Both ways end at the same listener, so that what they differ by is the redirection.
    pub(super) bare: Option<SocketAddr>,
    /// The authority that signs what the load generator sees, unless passed on.
    pub(super) authority: PathBuf,
    pub(super) cgroup: Option<PathBuf>,
    /// The process in the middle.
    pub(super) process: Option<u32>,
}

const fn local(port: u16) -> SocketAddr {
    SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, port))
}

// === impl Name ===

impl Name {
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Enforcer => "enforcer",
            Self::Haproxy => "haproxy",
        }
    }
}

// === impl Contender ===

impl Contender {
    pub(super) fn direct(authority: PathBuf, bare: Option<SocketAddr>) -> Self {
        Self {
            name: Name::Direct,
            api: UPSTREAM,
            events: EVENT_UPSTREAM,
            h2: UPSTREAM,
            opaque: UPSTREAM,
            bare,
            authority,
            cgroup: None,
            process: None,
        }
    }

    pub(super) fn enforcer(authority: PathBuf, cgroup: PathBuf, process: u32) -> Self {
        Self {
            name: Name::Enforcer,
            api: ANYWHERE,
            events: ANYWHERE,
            h2: ANYWHERE,
            opaque: ANYWHERE,
            bare: Some(ANYWHERE),
            authority,
            cgroup: Some(cgroup),
            process: Some(process),
        }
    }

    pub(super) fn haproxy(authority: PathBuf, process: u32) -> Self {
        Self {
            name: Name::Haproxy,
            api: PEER_OPENED,
            events: PEER_OPENED,
            h2: PEER_H2,
            opaque: PEER_OPAQUE,
            bare: None,
            authority,
            cgroup: None,
            process: Some(process),
        }
    }
}

//! The operators' interface: a closed list of verbs over a unix socket.
//!
//! The CLI and whatever else operators use produce [`Action`]s, one [`Controller`] performs them, and what comes back is a
//! view. It runs on a thread of its own and shares nothing with the data plane but what the [`Enforcement`] behind it
//! shares. Agents are never answered: the socket's mode, the peer's credentials and the peer's cgroup each stop them.
//!
//! HTTP/1.1, one request per connection, JSON both ways. Unknown fields in a request are refused.
//!
//! | request | body | answer |
//! |---|---|---|
//! | `GET /v1/status` | | [`Status`] |
//! | `POST /v1/workloads/label` | `{"cgroup": PATH, "policy": NAME or null}` | [`WorkloadView`], once it is enforced |
//! | `POST /v1/workloads/unlabel` | `{"cgroup": PATH}` | [`Unlabelled`], once it is not enforced any more |
//! | `POST /v1/containers/choose` | `{"id": ID}` | [`Chosen`]: the policy for a container that is about to be made |
//! | `POST /v1/containers/admit` | a [`Newcomer`] | [`WorkloadView`], once it is enforced |
//! | `POST /v1/ca/rotate` | `{}` | [`AuthorityView`], once the next CA signs |
//! | `POST /v1/workloads/rescan` | `{}` | [`Rescanned`], once every labelled cgroup is enforced |
//!
//! `PATH` is a cgroup's directory or its path below the cgroup2 mount. An answer that is no success carries a [`Problem`]:
//! `{"code": "…", "message": "…"}`, with status 400 (`malformed`), 403 (`forbidden`), 404 (`unknown`), 409 (`conflict`),
//! 500 (`fault`), 503 (`unavailable`) or 504 (`late`).

#![forbid(unsafe_code)]

mod access;
mod action;
mod client;
mod container;
mod controller;
mod problem;
mod request;
mod server;
mod view;

pub use access::Access;
pub use action::{Action, Peer, Target};
pub use client::{Client, ClientError};
pub use container::{Chosen, Newcomer};
pub use controller::{Controller, Enforcement};
pub use problem::{Code, Problem};
pub use server::{Server, ServerError};
pub use view::{
    AuthorityView, DistrustedView, LedgerView, NotServed, PolicyView, PreviousView, Quarantined,
    Rescanned, Status, TrustView, Unlabelled, View, WatchdogView, WorkloadView,
};

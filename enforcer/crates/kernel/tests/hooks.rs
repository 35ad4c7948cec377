//! The programs in a real kernel: real cgroups, real namespaces, real sockets. Needs root and the built object; says why
//! it skips without.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test's own hands may fail and speak like a test"
)]

#[path = "hooks/agent.rs"]
mod agent;
#[path = "hooks/backstop.rs"]
mod backstop;
#[path = "hooks/cost.rs"]
mod cost;
#[path = "hooks/destroy.rs"]
mod destroy;
#[path = "hooks/hollow.rs"]
mod hollow;
#[path = "hooks/lifecycle.rs"]
mod lifecycle;
#[path = "hooks/lsm.rs"]
mod lsm;
#[path = "hooks/probe.rs"]
mod probe;
#[path = "hooks/refuse.rs"]
mod refuse;
#[path = "hooks/sandbox.rs"]
mod sandbox;
#[path = "hooks/seal.rs"]
mod seal;
#[path = "hooks/stance.rs"]
mod stance;
#[path = "hooks/table.rs"]
mod table;
#[path = "hooks/tcp.rs"]
mod tcp;
#[path = "hooks/udp.rs"]
mod udp;
#[path = "hooks/unix.rs"]
mod unix;
#[path = "hooks/watch.rs"]
mod watch;

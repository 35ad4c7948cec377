//! The programs in a real kernel: real cgroups, real namespaces, real sockets. Needs root and the built object; says why
//! it skips without.

#[path = "hooks/agent.rs"]
mod agent;
#[path = "hooks/sandbox.rs"]
mod sandbox;
#[path = "hooks/tcp.rs"]
mod tcp;

//! What end-to-end tests, the demo and the benchmark are made of: namespaces, cgroups, an upstream, and probes.
//!
//! Everything here is a value that cleans up after itself when dropped; nothing runs a shell.

pub mod agent;
pub mod bench;
pub mod binaries;
pub mod cgroup;
pub mod cri;
pub mod daemon;
pub mod demo;
pub mod docker;
pub mod ledger;
pub mod namespace;
pub mod podman;
pub mod probe;
pub mod process;
pub mod sandbox;
pub mod turn;
pub mod upstream;
pub mod world;

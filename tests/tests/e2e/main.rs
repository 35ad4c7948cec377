//! End to end: real cgroups, the real kernel, the real binary, and a world in which everything that leaks is seen.
//!
//! Every test passes with a printed reason where it cannot run: not root, or the enforcer is not built. `ENFORCER_BIN` names
//! the binary; without it the newest of `target/{release,debug}/enforcer` is taken.

mod churn;
mod confine;
mod containers;
mod discovery;
mod endings;
mod escape;
mod evidence;
mod faults;
mod http;
mod limits;
mod masking;
mod mcp;
mod namespaces;
mod operate;
mod people;
mod policy;
mod redirect;
mod run;
mod sdk;
mod stage;
mod streams;
mod tls;
mod trust;
mod webhooks;

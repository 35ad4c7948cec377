//! Which workload a connection belongs to: cgroups, the labels operators put on them, and the register of those served.
//!
//! Cgroups are those of cgroup v2, wherever it is mounted. A label is an extended attribute of a cgroup's directory, so it
//! lives and dies with the cgroup and survives a restart of the enforcer. This room reads and writes the cgroup file system
//! and nothing else: hooks are attached by `enforcer-kernel`, decisions are made by `enforcer-policy`.

#![forbid(unsafe_code)]

mod agents;
mod cgroup;
mod error;
mod hierarchy;
mod label;
mod pattern;
mod place;
mod process;
mod provenance;
#[cfg(test)]
mod sandbox;
mod scan;
mod unmark;
mod workloads;

pub use agents::{Agents, RUNS};
pub use cgroup::Cgroup;
pub use error::{CgroupError, LabelError, WorkloadsFull};
pub use hierarchy::{Hierarchy, path_of_process};
pub use label::{ATTRIBUTE, Label, OBSERVE};
pub use pattern::{Pattern, PatternError};
pub use place::attributes_of_path;
pub use process::Processes;
pub use provenance::{Provenance, Via};
pub use scan::Scan;
pub use unmark::Unmarked;
pub use workloads::Workloads;

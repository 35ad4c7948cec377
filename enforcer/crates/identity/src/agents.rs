//! Tells agents from operators, so that what is for operators is never served to an agent.

use std::sync::Arc;

use enforcer_flow::Workload;

use crate::cgroup::is_below;
use crate::{Cgroup, CgroupError, Hierarchy, Workloads};

#[cfg(test)]
mod tests;

/// The cgroup below which `enforcer run` makes one for each command.
pub const RUNS: &str = "/enforcer";

/// Whoever runs in a served cgroup, or in one that `enforcer run` made.
#[derive(Debug)]
pub struct Agents {
    hierarchy: Hierarchy,
    workloads: Arc<Workloads>,
}

impl Agents {
    /// Those of this register, and every command of `enforcer run`.
    #[must_use]
    pub fn new(hierarchy: Hierarchy, workloads: Arc<Workloads>) -> Self {
        Self {
            hierarchy,
            workloads,
        }
    }

    /// Whether a process is, or may be, an agent: one whose place cannot be found is taken for one.
    #[must_use]
    pub fn include(&self, pid: u32) -> bool {
        match self.hierarchy.of_process(pid) {
            Ok(place) => is_below(RUNS, place.path()) || self.workload_of(&place).is_some(),
            Err(_) => true,
        }
    }

    /// The served workload that a process is in, also when it moved to a cgroup further down.
    ///
    /// # Errors
    /// When there is no such process, or its cgroup is not visible here.
    pub fn workload_of_process(&self, pid: u32) -> Result<Option<Arc<Workload>>, CgroupError> {
        let place = self.hierarchy.of_process(pid)?;
        Ok(self.workload_of(&place))
    }

    fn workload_of(&self, place: &Cgroup) -> Option<Arc<Workload>> {
        let mut workloads = self.workloads.list().into_iter();
        workloads.find(|workload| is_below(&workload.path, place.path()))
    }
}

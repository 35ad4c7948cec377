//! The register of workloads that are served: from a cgroup's id to who that is.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use enforcer_flow::{Attributes, CgroupId, Workload};

use crate::{Cgroup, Label, WorkloadsFull};

#[cfg(test)]
mod tests;

type Register = HashMap<CgroupId, Arc<Workload>>;

/// Read for every new flow without a lock, written when labels change.
#[derive(Debug)]
pub struct Workloads {
    register: ArcSwap<Register>,
    /// Held while a new register is made from the current one.
    writing: Mutex<()>,
    limit: usize,
}

impl Workloads {
    /// An empty register with room for `limit` workloads.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            register: ArcSwap::default(),
            writing: Mutex::new(()),
            limit,
        }
    }

    /// The workload whose labelled cgroup has this id.
    #[must_use]
    pub fn find(&self, cgroup: CgroupId) -> Option<Arc<Workload>> {
        self.register.load().get(&cgroup).cloned()
    }

    /// All of them, by name.
    #[must_use]
    pub fn list(&self) -> Vec<Arc<Workload>> {
        let mut list: Vec<_> = self.register.load().values().cloned().collect();
        list.sort_by(|a, b| a.name.cmp(&b.name));
        list
    }

    /// Enters a labelled cgroup, or takes over its new label. It is called as its container is, else by the last part of its
    /// path; if that is taken, by the whole path; if that is taken too, by the path and its id.
    ///
    /// # Errors
    /// When the register is full.
    pub fn insert(
        &self,
        cgroup: &Cgroup,
        label: &Label,
        attributes: &Arc<Attributes>,
    ) -> Result<Arc<Workload>, WorkloadsFull> {
        self.enter(cgroup.id(), cgroup.path(), label, attributes)
    }

    /// Strikes a workload out and returns it.
    pub fn remove(&self, cgroup: CgroupId) -> Option<Arc<Workload>> {
        let _writing = self.write();
        let mut register = Register::clone(&self.register.load());
        let removed = register.remove(&cgroup);
        if removed.is_some() {
            self.register.store(Arc::new(register));
        }
        removed
    }

    fn enter(
        &self,
        cgroup: CgroupId,
        path: &Arc<str>,
        label: &Label,
        attributes: &Arc<Attributes>,
    ) -> Result<Arc<Workload>, WorkloadsFull> {
        let _writing = self.write();
        let mut register = Register::clone(&self.register.load());
        let known = register.remove(&cgroup);
        if register.len() >= self.limit {
            return Err(WorkloadsFull { limit: self.limit });
        }
        let mut attributes = attributes.clone();
        if attributes.principal.as_ref() != label.principal() {
            Arc::make_mut(&mut attributes).principal = label.principal().cloned();
        }
        let workload = Arc::new(Workload {
            name: known.map_or_else(
                || name(&register, cgroup, path, &attributes),
                |w| w.name.clone(),
            ),
            policy: label.policy().cloned(),
            cgroup,
            path: path.clone(),
            stance: label.stance(),
            attributes,
        });
        register.insert(cgroup, workload.clone());
        self.register.store(Arc::new(register));
        Ok(workload)
    }

    fn write(&self) -> MutexGuard<'_, ()> {
        // The lock guards no data that a panic could have left half written.
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As its container is called, if it is one and nobody is called so, else by its path.
fn name(
    register: &Register,
    cgroup: CgroupId,
    path: &Arc<str>,
    attributes: &Attributes,
) -> Arc<str> {
    let container = attributes.container.as_ref();
    let wanted = container.and_then(|container| container.name.as_ref());
    let is_free = |name: &&Arc<str>| register.values().all(|workload| workload.name != **name);
    wanted
        .filter(is_free)
        .cloned()
        .unwrap_or_else(|| free_name(register, cgroup, path))
}

fn free_name(register: &Register, cgroup: CgroupId, path: &Arc<str>) -> Arc<str> {
    let taken = |name: &str| register.values().any(|workload| &*workload.name == name);
    match path.rsplit('/').next().filter(|last| !last.is_empty()) {
        Some(last) if !taken(last) => last.into(),
        Some(_) | None if !taken(path) => path.clone(),
        Some(_) | None => format!("{path}#{cgroup}").into(),
    }
}

//! What others say a workload is: a container engine, an orchestrator, the system's service manager.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::Principal;

/// What is known of a workload beside its cgroup. Told by the engine that runs it, never by the workload itself; empty for a
/// cgroup that no engine knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    /// The container it is.
    pub container: Option<Container>,
    /// The container's labels. Those of its image are among them.
    pub labels: BTreeMap<Arc<str>, Arc<str>>,
    /// The Kubernetes pod it belongs to.
    pub pod: Option<Pod>,
    /// For whom it works, as its operator says.
    pub principal: Option<Principal>,
    /// The systemd unit that its cgroup is of: a service, a scope or a slice.
    pub unit: Option<Arc<str>>,
}

/// A container, as its engine calls it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// Its id in full; unique, and never given to another one.
    pub id: Arc<str>,
    /// Its name; another container may have it later.
    pub name: Option<Arc<str>>,
    /// The image it was made of, as whoever started it named it.
    pub image: Option<Arc<str>>,
}

/// A Kubernetes pod.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pod {
    /// Its namespace.
    pub namespace: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// Its unique id.
    pub uid: Option<Arc<str>>,
    /// The service account it runs as, where that is known.
    pub service_account: Option<Arc<str>>,
    /// Its labels.
    pub labels: BTreeMap<Arc<str>, Arc<str>>,
}

// === impl Attributes ===

impl Attributes {
    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self {
            container,
            labels,
            pod,
            principal,
            unit,
        } = self;
        container.is_none()
            && labels.is_empty()
            && pod.is_none()
            && principal.is_none()
            && unit.is_none()
    }
}

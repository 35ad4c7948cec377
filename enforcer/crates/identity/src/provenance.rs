//! Which way a workload came in, and what was told of it then. Kept on its cgroup beside the label, so that it survives a
//! restart of the enforcer and of the engine that told it, and goes with the cgroup.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use enforcer_flow::{Attributes, Container, Pod, Principal};
use rustix::fs::XattrFlags;
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use crate::{Cgroup, CgroupError, attributes_of_path};

#[cfg(test)]
mod tests;

/// The extended attribute; see [`ATTRIBUTE`](crate::ATTRIBUTE) for why `trusted.`.
const ATTRIBUTE: &str = "trusted.enforcer.provenance";
/// The attribute that says that an operator took the label off: discovery does not put it on again.
const RELEASED: &str = "trusted.enforcer.released";
/// `XATTR_SIZE_MAX` of linux/limits.h.
const MAX_VALUE: usize = 64 * 1024;
/// Most labels that are kept of a container or pod.
const MAX_LABELS: usize = 128;

/// Which way a workload came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Via {
    /// Kubernetes says so, through the container runtime's socket.
    Cri,
    /// A container engine told of its start.
    EngineEvent,
    /// A container engine was asked for all that run.
    EngineScan,
    /// The label on its cgroup.
    Label,
    /// A container runtime told of it, by the Node Resource Interface.
    Nri,
    /// A hook that an engine runs before the container.
    OciHook,
    /// A pattern in the configuration.
    Pattern,
    /// Its runtime, which is ours.
    Runtime,
    /// `enforcer run`.
    Run,
}

/// Which way, and what was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provenance {
    /// Which way.
    pub via: Via,
    /// What was told.
    pub attributes: Arc<Attributes>,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    via: Via,
    #[serde(default)]
    container: Option<StoredContainer>,
    #[serde(default)]
    labels: BTreeMap<Arc<str>, Arc<str>>,
    #[serde(default)]
    pod: Option<StoredPod>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    principal: Option<StoredPrincipal>,
}

#[derive(Serialize, Deserialize)]
struct StoredPrincipal {
    name: Arc<str>,
    groups: Vec<Arc<str>>,
}

#[derive(Serialize, Deserialize)]
struct StoredContainer {
    id: Arc<str>,
    name: Option<Arc<str>>,
    image: Option<Arc<str>>,
}

#[derive(Serialize, Deserialize)]
struct StoredPod {
    namespace: Arc<str>,
    name: Arc<str>,
    uid: Option<Arc<str>>,
    service_account: Option<Arc<str>>,
    labels: BTreeMap<Arc<str>, Arc<str>>,
}

// === impl Via ===

impl Via {
    /// Its name in the ledger.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cri => "cri",
            Self::EngineEvent => "engine-event",
            Self::EngineScan => "engine-scan",
            Self::Label => "label",
            Self::Nri => "nri",
            Self::OciHook => "oci-hook",
            Self::Pattern => "pattern",
            Self::Run => "run",
            Self::Runtime => "runtime",
        }
    }
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

// === impl Provenance ===

impl Provenance {
    /// What is known of a cgroup of which nothing was told but its path.
    #[must_use]
    pub fn of_path(via: Via, path: &str) -> Self {
        Self {
            via,
            attributes: Arc::new(attributes_of_path(path)),
        }
    }
}

// === impl Cgroup ===

impl Cgroup {
    /// Keeps on this cgroup which way it came in, and forgets that it ever was released.
    ///
    /// # Errors
    /// When the system says no.
    pub fn write_provenance(&self, provenance: &Provenance) -> Result<(), CgroupError> {
        let failed = |error| CgroupError::io::<Errno>("describe", self.dir())(error);
        self.forget(RELEASED)?;
        let mut stored = Stored::from(provenance);
        let mut value = serde_json::to_vec(&stored).unwrap_or_default();
        if value.len() > MAX_VALUE {
            // What does not fit is what others made long; the rest is worth keeping.
            stored.labels.clear();
            stored.pod.iter_mut().for_each(|pod| pod.labels.clear());
            value = serde_json::to_vec(&stored).unwrap_or_default();
        }
        rustix::fs::fsetxattr(self, ATTRIBUTE, &value, XattrFlags::empty()).map_err(failed)
    }

    /// Which way this cgroup came in. Of one that was labelled by hand nothing was kept.
    #[must_use]
    pub fn provenance(&self) -> Provenance {
        let mut value = vec![0_u8; MAX_VALUE];
        let kept = rustix::fs::fgetxattr(self, ATTRIBUTE, &mut value).ok();
        let stored =
            kept.and_then(|length| serde_json::from_slice::<Stored>(&value[..length]).ok());
        let Some(stored) = stored else {
            return Provenance::of_path(Via::Label, self.path());
        };
        let mut provenance = Provenance::from(stored);
        let unit = attributes_of_path(self.path()).unit;
        Arc::make_mut(&mut provenance.attributes).unit = unit;
        provenance
    }

    /// Keeps for whom it works beside what else is known of it.
    pub(crate) fn write_principal(&self, principal: Option<&Principal>) -> Result<(), CgroupError> {
        let mut provenance = self.provenance();
        if provenance.attributes.principal.as_ref() == principal {
            return Ok(());
        }
        Arc::make_mut(&mut provenance.attributes).principal = principal.cloned();
        self.write_provenance(&provenance)
    }

    /// Forgets which way this cgroup came in and, unless told otherwise, keeps discovery from bringing it in again.
    ///
    /// # Errors
    /// When the system says no.
    pub fn mark_released(&self) -> Result<(), CgroupError> {
        self.forget(ATTRIBUTE)?;
        rustix::fs::fsetxattr(self, RELEASED, b"1", XattrFlags::empty())
            .map_err(CgroupError::io("mark", self.dir()))
    }

    /// Whether an operator took its label off.
    #[must_use]
    pub fn was_released(&self) -> bool {
        rustix::fs::fgetxattr(self, RELEASED, &mut [0_u8; 8]).is_ok()
    }

    fn forget(&self, attribute: &'static str) -> Result<(), CgroupError> {
        match rustix::fs::fremovexattr(self, attribute) {
            Ok(()) | Err(Errno::NODATA) => Ok(()),
            Err(error) => Err(CgroupError::io("describe", self.dir())(error)),
        }
    }
}

// === impl Stored ===

impl From<&Provenance> for Stored {
    fn from(provenance: &Provenance) -> Self {
        let Provenance { via, attributes } = provenance;
        let Attributes {
            container,
            labels,
            pod,
            principal,
            unit: _,
        } = &**attributes;
        Self {
            via: *via,
            container: container.as_ref().map(|container| StoredContainer {
                id: container.id.clone(),
                name: container.name.clone(),
                image: container.image.clone(),
            }),
            labels: first(labels),
            pod: pod.as_ref().map(|pod| StoredPod {
                namespace: pod.namespace.clone(),
                name: pod.name.clone(),
                uid: pod.uid.clone(),
                service_account: pod.service_account.clone(),
                labels: first(&pod.labels),
            }),
            principal: principal.as_ref().map(|principal| StoredPrincipal {
                name: principal.name().clone(),
                groups: principal.groups().to_vec(),
            }),
        }
    }
}

impl From<Stored> for Provenance {
    fn from(stored: Stored) -> Self {
        let Stored {
            via,
            container,
            labels,
            pod,
            principal,
        } = stored;
        let container =
            container.map(|StoredContainer { id, name, image }| Container { id, name, image });
        let pod = pod.map(|pod| Pod {
            namespace: pod.namespace,
            name: pod.name,
            uid: pod.uid,
            service_account: pod.service_account,
            labels: pod.labels,
        });
        // As it was checked when it was written; what others wrote there is nobody's name.
        let principal = principal.and_then(|principal| {
            let groups = principal.groups.join(",");
            Principal::of_labels(Some(&principal.name), Some(&groups))
        });
        let attributes = Attributes {
            container,
            labels,
            pod,
            principal,
            unit: None,
        };
        Self {
            via,
            attributes: Arc::new(attributes),
        }
    }
}

fn first(labels: &BTreeMap<Arc<str>, Arc<str>>) -> BTreeMap<Arc<str>, Arc<str>> {
    let pairs = labels.iter().take(MAX_LABELS);
    pairs
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

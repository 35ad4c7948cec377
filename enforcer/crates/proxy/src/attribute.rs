//! From a socket to a workload: the kernel's record says where it meant to go and which labelled cgroup it is from.

use std::sync::Arc;

use enforcer_flow::{ClientAddr, NetnsCookie, OriginalDst, Process, Stance, Workload};
use enforcer_identity::Workloads;
use enforcer_kernel::{Origin, Origins};

/// Joins the kernel's records with the registry of workloads.
pub struct Attribution {
    origins: Box<dyn Origins>,
    workloads: Arc<Workloads>,
}

/// Why a connection has no owner.
#[derive(Debug)]
pub(crate) enum Unattributed {
    /// The kernel filed nothing: somebody connected to the listener itself.
    NoOrigin,
    /// The record names a cgroup that is not labelled any more.
    NoWorkload(Box<Origin>),
    /// The agent asked for the listener itself; forwarding would come back here for ever.
    Loop(Box<Origin>, Arc<Workload>),
    /// The workload is cut off from everything.
    Quarantined(Box<Origin>, Arc<Workload>),
}

impl Attribution {
    /// Joins the two.
    #[must_use]
    pub fn new(origins: Box<dyn Origins>, workloads: Arc<Workloads>) -> Arc<Self> {
        Arc::new(Self { origins, workloads })
    }

    /// Takes the record of an accepted connection.
    pub(crate) fn take(
        &self,
        netns: NetnsCookie,
        client: ClientAddr,
        listener: OriginalDst,
    ) -> Result<(Origin, Arc<Workload>), Unattributed> {
        let origin = self
            .origins
            .take(netns, client)
            .ok_or(Unattributed::NoOrigin)?;
        match self.workloads.find(origin.cgroup) {
            None => Err(Unattributed::NoWorkload(Box::new(origin))),
            Some(workload) if origin.dst == listener => {
                Err(Unattributed::Loop(Box::new(origin), workload))
            }
            Some(workload) if workload.stance == Stance::Quarantine => {
                Err(Unattributed::Quarantined(Box::new(origin), workload))
            }
            Some(workload) => Ok((origin, workload)),
        }
    }

    /// Whether a workload is still what its cgroup is served as: it may have been relabelled or released since.
    pub(crate) fn is_current(&self, workload: &Arc<Workload>) -> bool {
        let found = self.workloads.find(workload.cgroup);
        found.is_some_and(|found| Arc::ptr_eq(&found, workload))
    }
}

impl enforcer_dns::Attribution for Attribution {
    fn of(&self, netns: NetnsCookie, client: ClientAddr) -> Option<(Arc<Workload>, Process)> {
        let origin = self.origins.udp(netns, client)?;
        let workload = self.workloads.find(origin.cgroup)?;
        Some((workload, origin.process))
    }
}

impl Unattributed {
    /// The stable word for the ledger.
    pub(crate) fn cause(&self) -> &'static str {
        match self {
            Self::Loop(..) => "loop",
            Self::NoOrigin => "no_origin",
            Self::NoWorkload(_) => "no_workload",
            Self::Quarantined(..) => "quarantined",
        }
    }
}

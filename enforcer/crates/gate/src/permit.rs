//! Proof that an exchange may go out and that the ledger says so.

use enforcer_audit::Receipt;
use enforcer_flow::{CgroupId, Destination, Protocol};

use crate::{Ask, Flow};

/// Made by [`Gate::ask`](crate::Gate::ask) from an allow decision and the ledger's receipt for it, and by nothing else.
///
/// ```compile_fail
/// let permit = enforcer_gate::Permit {};
/// ```
#[derive(Debug)]
pub struct Permit {
    destination: Destination,
    protocol: Protocol,
    workload: CgroupId,
    receipt: Receipt,
}

impl Permit {
    pub(crate) fn new(flow: &Flow, ask: Ask<'_>, receipt: Receipt) -> Self {
        Self {
            destination: ask.destination.clone(),
            protocol: ask.protocol,
            workload: flow.workload().cgroup,
            receipt,
        }
    }

    /// Where the exchange may go.
    #[must_use]
    pub fn destination(&self) -> &Destination {
        &self.destination
    }

    /// What it may speak.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// On whose behalf.
    #[must_use]
    pub fn workload(&self) -> CgroupId {
        self.workload
    }

    /// The ledger's receipt for the grant.
    #[must_use]
    pub fn receipt(&self) -> &Receipt {
        &self.receipt
    }
}

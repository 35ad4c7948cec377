//! What masking keeps for workloads beyond one exchange.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use enforcer_flow::CgroupId;
use enforcer_mask::{Keys, Session, VaultLimits};

/// The sessions of all workloads: the keys are the host's, the values behind placeholders each workload's own.
pub struct Sessions {
    keys: Keys,
    limits: VaultLimits,
    open: Mutex<HashMap<CgroupId, Arc<Session>>>,
}

// === impl Sessions ===

impl Sessions {
    /// With the host's key.
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        Self {
            keys: Keys::new(key),
            limits: VaultLimits::default(),
            open: Mutex::default(),
        }
    }

    /// That of a workload.
    pub(crate) fn of(&self, workload: CgroupId) -> Arc<Session> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let session = open
            .entry(workload)
            .or_insert_with(|| Arc::new(Session::new(&self.keys, "", self.limits)));
        Arc::clone(session)
    }

    /// Forgets what a workload's placeholders stand for.
    pub(crate) fn forget(&self, workload: CgroupId) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.remove(&workload);
    }
}

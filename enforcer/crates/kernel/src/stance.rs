//! How the programs treat a workload, beside what they do for all.

use enforcer_common::{WorkloadEntry, workload_flag};
use enforcer_flow::{CgroupId, Stance};

use crate::programs::write_error;
use crate::{KernelError, Programs};

/// The bits that are a stance.
const STANCES: u32 = workload_flag::QUARANTINED | workload_flag::OBSERVED;

impl Programs {
    /// Has the programs take this stance towards a workload, from the next call and packet on: in quarantine nothing of it
    /// goes anywhere, not even to our own listeners; observed, what they would refuse is reported and let past. It holds
    /// without us for as long as the pinned maps do, and may be said before the programs are attached, so that no moment
    /// passes without it.
    ///
    /// The entry is replaced as a whole: of a connection that opens or closes in the same instant, the count may be lost.
    ///
    /// # Errors
    /// When the map cannot be written.
    pub fn take_stance(&self, id: CgroupId, stance: Stance) -> Result<(), KernelError> {
        let known = self.workloads.find(&id.0).map_err(write_error)?;
        let known = known.unwrap_or_default();
        // What else is said of it stays.
        let flags = known.flags & !STANCES | bits(stance);
        let entry = WorkloadEntry { flags, ..known };
        self.workloads.set(&id.0, &entry).map_err(write_error)?;
        self.changed()
    }

    /// The stance towards a workload; none when it is not labelled.
    ///
    /// # Errors
    /// When the map cannot be read.
    pub fn stance(&self, id: CgroupId) -> Result<Option<Stance>, KernelError> {
        let entry = self.workloads.find(&id.0).map_err(write_error)?;
        Ok(entry.map(|entry| stance(entry.flags)))
    }
}

fn bits(stance: Stance) -> u32 {
    match stance {
        Stance::Enforce => 0,
        Stance::Observe => workload_flag::OBSERVED,
        Stance::Quarantine => workload_flag::QUARANTINED,
    }
}

fn stance(bits: u32) -> Stance {
    if bits & workload_flag::QUARANTINED != 0 {
        Stance::Quarantine
    } else if bits & workload_flag::OBSERVED != 0 {
        Stance::Observe
    } else {
        Stance::Enforce
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarantine_is_stronger_than_anything_beside_it() {
        for each in [Stance::Enforce, Stance::Observe, Stance::Quarantine] {
            assert_eq!(stance(bits(each)), each);
        }
        let both = workload_flag::QUARANTINED | workload_flag::OBSERVED;
        assert_eq!(stance(both), Stance::Quarantine);
    }
}

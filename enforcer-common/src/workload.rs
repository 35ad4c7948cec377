//! What the programs keep about a labelled cgroup.

/// Value of `WORKLOADS`, keyed by cgroup id. Its presence means "labelled"; written by the daemon before it attaches.
///
/// The numbers are kept by the programs without locks: two processors may look at once, which only lets a few more
/// through than the limit says.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WorkloadEntry {
    /// Start of the current second of the event budget, in nanoseconds since boot.
    pub window: u64,
    /// TCP connections that were filed and not closed since.
    pub connections: u64,
    /// Events sent in the current second.
    pub spent: u32,
    /// See [`workload_flag`].
    pub flags: u32,
}

/// Bits of [`WorkloadEntry::flags`]. Written by the daemon; they outlive it with the map.
pub mod workload_flag {
    /// Nothing of it goes anywhere, our own listeners included. Stronger than [`OBSERVED`].
    pub const QUARANTINED: u32 = 1;
    /// What would be refused is reported and let past.
    pub const OBSERVED: u32 = 1 << 1;
    /// Unix sockets are connected to nothing that has a name.
    pub const UNIX_REFUSED: u32 = 1 << 2;
    /// It is no workload but a trial of the LSM programs, which then tell of nothing.
    pub const TRIAL: u32 = 1 << 3;
    /// Unix sockets are connected to those in `UNIX_ALLOWED` and the workload's own alone: the LSM programs see to it.
    pub const UNIX_LISTED: u32 = 1 << 4;
}

/// Connections a workload may have at a time. A fraction of what `FLOWS` holds, so that no workload alone can fill it.
pub const MAX_CONNECTIONS: u64 = 16_384;

const _: () = assert!(size_of::<WorkloadEntry>() == 24);

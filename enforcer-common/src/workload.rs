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
    /// Always zero.
    pub reserved: u32,
}

/// Connections a workload may have at a time. A fraction of what `FLOWS` holds, so that no workload alone can fill it.
pub const MAX_CONNECTIONS: u64 = 16_384;

const _: () = assert!(size_of::<WorkloadEntry>() == 24);

//! What the programs keep about a labelled cgroup.

/// Value of `WORKLOADS`, keyed by cgroup id. Its presence means "labelled"; written by the daemon before it attaches.
///
/// The event budget is kept by the programs without locks: two processors may count one event as one, which only lets
/// a few more through.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WorkloadEntry {
    /// Start of the current second of the event budget, in nanoseconds since boot.
    pub window: u64,
    /// Events sent in the current second.
    pub spent: u32,
    /// Always zero.
    pub reserved: u32,
}

const _: () = assert!(size_of::<WorkloadEntry>() == 16);

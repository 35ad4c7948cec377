//! What the programs keep about the far side of a workload's wire.

/// Value of `SEALS`, keyed by the index of the device that a program hangs on. Written by the daemon before it attaches.
///
/// An index names a device in one network namespace only: where the far ends of two wires have the same one, in two
/// namespaces, the entry is that of whoever was sealed last. Both drop all the same.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SealEntry {
    /// The labelled cgroup whose processes live behind the wire.
    pub cgroup: u64,
    /// Cookie of the network namespace they live in.
    pub netns: u64,
    /// Packets that were dropped.
    pub dropped: u64,
}

const _: () = assert!(size_of::<SealEntry>() == 24);

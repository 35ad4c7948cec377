//! Every map, its capacity, who writes it and who reads it. All are pinned by name, so they outlive a daemon.

use aya_ebpf::bindings::bpf_map_type::BPF_MAP_TYPE_SK_STORAGE;
use aya_ebpf::bindings::{BPF_F_CLONE, BPF_F_NO_PREALLOC};
use aya_ebpf::btf_maps::{Array, HashMap, LruHashMap, PerCpuArray, RingBuf};
use aya_ebpf::macros::btf_map;
use enforcer_common::{
    KernelEvent, KernelLayout, LOST_SLOTS, NetnsEntry, OriginKey, OriginValue, SealEntry,
    UnixLayout, UnixSocketKey, WorkloadEntry,
};

use crate::peer::CarriedValue;
use crate::socket::Socket;

/// Memory is taken as entries come, not for the whole capacity at load: many short-lived instances may stand side by side.
const NO_PREALLOC: usize = BPF_F_NO_PREALLOC as usize;

/// Labelled cgroups, by cgroup id; id 0 holds the event budget of tasks in no labelled cgroup.
/// Written by the daemon when it attaches; the programs keep the event budget in it.
#[btf_map]
pub static WORKLOADS: HashMap<u64, WorkloadEntry, 8192, NO_PREALLOC> = HashMap::new();

/// Where the listeners are, by netns cookie. Written by the daemon, read by every program that redirects or lets leave.
#[btf_map]
pub static NETNS: HashMap<u64, NetnsEntry, 8192, NO_PREALLOC> = HashMap::new();

/// Origins of TCP connections between SYN and accept. Written by `established`, which also removes what was never
/// accepted; taken by the daemon at accept. Not an LRU: an agent must not be able to push out another one's record.
#[btf_map]
pub static FLOWS: HashMap<OriginKey, OriginValue, 65536, NO_PREALLOC> = HashMap::new();

/// Origins of name lookups. Written by `egress` with every query, read by the daemon. Nothing ends a UDP exchange, so
/// this one is an LRU; an entry is needed for the microseconds between sending and receiving a datagram.
#[btf_map]
pub static LOOKUPS: LruHashMap<OriginKey, OriginValue, 8192> = LruHashMap::new();

/// Where streams were to go that the kernel carries in sockets of its own (multipath TCP), by the carrying socket's own end.
/// Only shown to their agents. Written by `established`, read by `getpeername`.
#[btf_map]
pub static CARRIED: LruHashMap<OriginKey, CarriedValue, 4096> = LruHashMap::new();

/// Far sides of workloads' wires, by device index. Written by the daemon before it attaches; `seal` counts in it.
#[btf_map]
pub static SEALS: HashMap<u64, SealEntry, 16384, NO_PREALLOC> = HashMap::new();

/// How often the daemon has changed what the programs go by; 0 before it first did. Written by the daemon after each change
/// of `NETNS` and of workloads' flags; a socket that was judged since then need not be judged again.
#[btf_map]
pub static CHANGES: Array<u32, 1> = Array::new();

/// Where this kernel keeps what `lsm_cgroup` reads. Written by the daemon before that program hangs anywhere.
#[btf_map]
pub static LAYOUT: Array<KernelLayout, 1> = Array::new();

/// Where this kernel keeps what `lsm_unix_connect` and `lsm_unix_send` read. Written by the daemon before they hang anywhere.
#[btf_map]
pub static UNIX_LAYOUT: Array<UnixLayout, 1> = Array::new();

/// Unix sockets of others that workloads may connect whose flags have [`UNIX_LISTED`]. Written by the daemon, again and again:
/// a service that starts anew is another file.
///
/// [`UNIX_LISTED`]: enforcer_common::workload_flag::UNIX_LISTED
#[btf_map]
pub static UNIX_ALLOWED: HashMap<UnixSocketKey, u32, 1024, NO_PREALLOC> = HashMap::new();

/// What is known of each socket; goes with the socket. Written by `sock_create`, `connect` and `sendmsg`, read by all others.
#[btf_map]
pub static SOCKETS: Sockets = Sockets::new();

/// Refusals. Written by every program that refuses, read by the daemon.
#[btf_map]
pub static EVENTS: RingBuf<KernelEvent, { 256 * 1024 }> = RingBuf::new();

/// Events that were not sent, by [`enforcer_common::LostSlot`]. Written beside `EVENTS`, read by the daemon.
#[btf_map]
pub static LOST: PerCpuArray<u64, { LOST_SLOTS as usize }> = PerCpuArray::new();

/// Definition of `SOCKETS`. The library's own socket storage cannot be told to clone entries to accepted sockets, which
/// would leave those without a network namespace.
#[repr(C)]
pub struct Sockets {
    r#type: *const [i32; BPF_MAP_TYPE_SK_STORAGE as usize],
    key: *const i32,
    value: *const Socket,
    max_entries: *const [i32; 0],
    map_flags: *const [i32; (BPF_F_NO_PREALLOC | BPF_F_CLONE) as usize],
}

// SAFETY: the fields only carry types for the loader; nothing ever dereferences them.
unsafe impl Sync for Sockets {}

impl Sockets {
    const fn new() -> Self {
        use core::ptr::null;
        Self {
            r#type: null(),
            key: null(),
            value: null(),
            max_entries: null(),
            map_flags: null(),
        }
    }
}

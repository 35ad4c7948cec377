//! The programs by name, and where on a cgroup each hangs.

/// One program of the object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HookPoint {
    /// Its name in the object, and that of its pinned link.
    pub(crate) name: &'static str,
    /// Where it hangs: the kernel's `enum bpf_attach_type`.
    pub(crate) attach_type: u32,
}

/// All programs, in the order in which they are attached: what keeps track of connections before what bends them, so that
/// none is bent without a record, and the backstop last.
pub(crate) const HOOKS: [HookPoint; 14] = [
    hook("sock_create", 2),
    hook("post_bind4", 12),
    hook("post_bind6", 13),
    hook("setsockopt", 22),
    hook("established", 3),
    hook("getpeername4", 29),
    hook("getpeername6", 30),
    hook("recvmsg4", 19),
    hook("recvmsg6", 20),
    hook("sendmsg4", 14),
    hook("sendmsg6", 15),
    hook("connect4", 10),
    hook("connect6", 11),
    hook("egress", 1),
];

/// Programs that newer kernels alone have (6.7), attached before all others where they could be loaded. They read no address,
/// and add nothing that the others need.
pub(crate) const UNIX: [HookPoint; 2] = [hook("connect_unix", 49), hook("sendmsg_unix", 50)];

/// Programs that some kernels alone run (`BPF_LSM_CGROUP`, 6.0, where BPF is among the security modules), each with the
/// kernel's function that it is called with. Attached first of all, where they were seen to fire: they bend nothing.
pub(crate) const LSM: [(HookPoint, &str); 4] = [
    (hook("lsm_socket", LSM_CGROUP), "bpf_lsm_socket_create"),
    (hook("lsm_cgroup", LSM_CGROUP), "bpf_lsm_inode_permission"),
    (UNIX_LSM[0], "bpf_lsm_unix_stream_connect"),
    (UNIX_LSM[1], "bpf_lsm_unix_may_send"),
];

/// Those of them that tell one unix socket from another.
pub(crate) const UNIX_LSM: [HookPoint; 2] = [
    hook("lsm_unix_connect", LSM_CGROUP),
    hook("lsm_unix_send", LSM_CGROUP),
];

/// `BPF_LSM_CGROUP`.
pub(crate) const LSM_CGROUP: u32 = 43;

/// Every program there may be, in the order in which they are attached.
pub(crate) fn all() -> impl DoubleEndedIterator<Item = HookPoint> {
    let lsm = LSM.into_iter().map(|(hook, _)| hook);
    lsm.chain(UNIX).chain(HOOKS)
}

const fn hook(name: &'static str, attach_type: u32) -> HookPoint {
    HookPoint { name, attach_type }
}

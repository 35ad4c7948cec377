//! Which unix sockets of others a workload may connect, where the kernel can tell one from another.

/// Key of `UNIX_ALLOWED`: the file that a socket is bound to, whatever name led to it.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UnixSocketKey {
    /// The number of its inode.
    pub inode: u64,
    /// Its file system's device as the kernel keeps it: the major number above twenty bits of the minor one.
    pub device: u32,
    /// Always zero; part of the key, so it must be.
    pub reserved: u32,
}

/// The one value of `UNIX_LAYOUT`: offsets in bytes within the kernel's structures, as [`crate::KernelLayout`] has others.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UnixLayout {
    /// `unix_sock.path.dentry`.
    pub socket_dentry: u32,
    /// `dentry.d_inode`.
    pub dentry_inode: u32,
    /// `inode.i_ino`.
    pub inode_number: u32,
    /// `inode.i_sb`.
    pub inode_superblock: u32,
    /// `super_block.s_dev`.
    pub superblock_device: u32,
    /// `socket.sk`.
    pub file_socket: u32,
    /// `sock.sk_cgrp_data.cgroup`.
    pub socket_cgroup: u32,
    /// `cgroup.kn`, its `kernfs_node`.
    pub cgroup_node: u32,
    /// `kernfs_node.parent`, or `__parent` since Linux 6.15.
    pub node_parent: u32,
    /// `kernfs_node.id`: of a cgroup's directory, the cgroup's id.
    pub node_id: u32,
    /// Not 0 once the others were written.
    pub known: u32,
    /// Always zero.
    pub reserved: u32,
}

// === impl UnixSocketKey ===

impl UnixSocketKey {
    /// The file with this number on the device with these numbers.
    #[must_use]
    pub const fn new(major: u32, minor: u32, inode: u64) -> Self {
        Self {
            inode,
            device: major << 20 | minor & 0xf_ffff,
            reserved: 0,
        }
    }
}

const _: () = assert!(size_of::<UnixSocketKey>() == 16 && align_of::<UnixSocketKey>() == 8);
const _: () = assert!(size_of::<UnixLayout>() == 48);

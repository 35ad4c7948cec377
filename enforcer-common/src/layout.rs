//! Where the kernel keeps what the LSM programs read, which differs from kernel to kernel.

/// The one value of `LAYOUT`: offsets in bytes within the kernel's structures. Written by the daemon, from what the kernel
/// says of its own types, before the programs that read it hang anywhere.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KernelLayout {
    /// `inode.i_sb`.
    pub inode_superblock: u32,
    /// `inode.i_private`, a `kernfs_node` in the file systems that are made of such.
    pub inode_node: u32,
    /// `super_block.s_magic`.
    pub superblock_magic: u32,
    /// `kernfs_node.parent`, or `__parent` since Linux 6.15.
    pub node_parent: u32,
    /// `kernfs_node.id`: of a cgroup's directory, the cgroup's id.
    pub node_id: u32,
    /// Not 0 once the others were written.
    pub known: u32,
}

const _: () = assert!(size_of::<KernelLayout>() == 24);

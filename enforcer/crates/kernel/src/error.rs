//! What can go wrong between us and the kernel.

use std::io;
use std::path::{Path, PathBuf};

use aya::EbpfError;
use aya::programs::ProgramError;
use enforcer_flow::CgroupId;

/// Why the kernel's programs cannot do their work, or cannot be made to.
#[derive(Debug, thiserror::Error)]
pub enum KernelError {
    /// The kernel has no BPF type information, which the programs' maps need.
    #[error("this kernel has no BTF: it needs CONFIG_DEBUG_INFO_BTF, or to be newer")]
    Btf,
    /// Another live instance pins in the same place.
    #[error("`{}` belongs to another instance that is running", path.display())]
    Busy {
        /// The place.
        path: PathBuf,
    },
    /// A system call failed.
    #[error("{call} failed")]
    Call {
        /// What was attempted.
        call: &'static str,
        /// What the kernel said.
        source: io::Error,
    },
    /// There is no cgroup2 hierarchy.
    #[error("cgroup2 is not mounted")]
    Cgroup2,
    /// The kernel lacks a kind of program that the enforcer is made of.
    #[error("this kernel has no {kind} programs: it needs CONFIG_CGROUP_BPF, or to be newer")]
    CgroupBpf {
        /// What the kernel calls the kind.
        kind: &'static str,
    },
    /// The directory is not the cgroup that was named.
    #[error("`{}` is not cgroup {id}", path.display())]
    Cgroup {
        /// The directory.
        path: PathBuf,
        /// The cgroup it was said to be.
        id: CgroupId,
    },
    /// The events have been handed out already.
    #[error("the kernel's events already have a reader")]
    EventsTaken,
    /// A file or folder could not be used.
    #[error("cannot {action} `{}`", path.display())]
    File {
        /// What was to be done with it.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// The directory is not in a cgroup2 file system.
    #[error("`{}` is not a cgroup2 directory", path.display())]
    NotCgroup2 {
        /// The directory.
        path: PathBuf,
    },
    /// The object does not fit this kernel.
    #[error("the kernel's programs could not be prepared")]
    Object(#[source] Box<EbpfError>),
    /// The binary was built without the kernel's programs.
    #[error(
        "this binary was built without the kernel's programs: build it with `cargo xtask build`"
    )]
    ObjectMissing,
    /// The cgroup holds the enforcer itself, whose own connections would come back to it.
    #[error("cgroup {id} holds the enforcer itself")]
    Own {
        /// The cgroup.
        id: CgroupId,
    },
    /// The kernel wants more rights than this process has.
    #[error("{call} was not permitted: root is needed (CAP_BPF, CAP_NET_ADMIN, CAP_SYS_ADMIN)")]
    Permission {
        /// What was attempted.
        call: &'static str,
        /// What the kernel said.
        source: io::Error,
    },
    /// There is no BPF file system at the place to pin in, and none can be mounted there.
    #[error("`{}` is not in a BPF file system, and only /sys/fs/bpf is mounted unasked", path.display())]
    Pins {
        /// The place.
        path: PathBuf,
    },
    /// The kernel refused one of the programs.
    #[error("the kernel refused the program `{program}`")]
    Program {
        /// The program.
        program: &'static str,
        /// What the kernel said.
        #[source]
        source: Box<ProgramError>,
    },
    /// Programs cannot be held on network devices by links.
    #[error("this kernel cannot seal wires: it needs tcx, so Linux 6.6 or newer")]
    Tcx,
    /// The root of the hierarchy is everybody's cgroup.
    #[error("`{}` is the root of the cgroup hierarchy", path.display())]
    Root {
        /// The directory.
        path: PathBuf,
    },
}

impl KernelError {
    /// A system call that failed; lack of rights gets its own name.
    pub(crate) fn call(call: &'static str, source: impl Into<io::Error>) -> Self {
        let source = source.into();
        if lacks_rights(&source) {
            Self::Permission { call, source }
        } else {
            Self::Call { call, source }
        }
    }

    /// A file that could not be used.
    pub(crate) fn file(action: &'static str, path: &Path, source: impl Into<io::Error>) -> Self {
        Self::File {
            action,
            path: path.to_path_buf(),
            source: source.into(),
        }
    }
}

/// Whether the kernel declined because of who asked. `EACCES` is the verifier's word for a program it will not have.
pub(crate) fn lacks_rights(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::EPERM)
}

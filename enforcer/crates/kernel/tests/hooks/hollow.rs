//! Programs that do nothing, to be measured beside those that do: what they take, the kernel takes by itself.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd, RawFd};
use std::path::Path;

const PROG_LOAD: libc::c_long = 5;
const LINK_CREATE: libc::c_long = 28;

/// A kind of program, and where it hangs.
#[derive(Clone, Copy)]
pub(crate) struct Hollow {
    kind: u32,
    attach_type: u32,
    name: [u8; 16],
}

/// One on a cgroup, until this is dropped.
pub(crate) struct Hanging {
    _program: OwnedFd,
    _link: OwnedFd,
}

/// The leading fields of `union bpf_attr` for loading a program.
#[repr(C)]
struct Load {
    kind: u32,
    count: u32,
    instructions: u64,
    licence: u64,
    log: [u64; 2],
    kernel: u32,
    flags: u32,
    name: [u8; 16],
    device: u32,
    attach_type: u32,
}

/// And for hanging one on a cgroup.
#[repr(C)]
struct Link {
    program: RawFd,
    target: RawFd,
    attach_type: u32,
    flags: u32,
}

impl Hollow {
    /// `cgroup_skb`, on the way out.
    pub(crate) const EGRESS: Self = Self::new(8, 1, *b"hollow_egress\0\0\0");
    /// `cgroup_sock_addr`, on `connect(2)` over IPv4.
    pub(crate) const CONNECT4: Self = Self::new(18, 10, *b"hollow_connect4\0");
    /// `sock_ops`.
    pub(crate) const ESTABLISHED: Self = Self::new(13, 3, *b"hollow_sock_ops\0");

    const fn new(kind: u32, attach_type: u32, name: [u8; 16]) -> Self {
        Self {
            kind,
            attach_type,
            name,
        }
    }

    /// Hangs one on a cgroup.
    pub(crate) fn hang(self, cgroup: &Path) -> Hanging {
        let Self {
            kind,
            attach_type,
            name,
        } = self;
        // `r0 = 1; exit`
        let instructions: [u64; 2] = [0x1_0000_00b7, 0x95];
        let licence = c"Apache-2.0";
        let program = call(
            PROG_LOAD,
            &mut Load {
                kind,
                count: 2,
                instructions: instructions.as_ptr().expose_provenance() as u64,
                licence: licence.as_ptr().expose_provenance() as u64,
                log: [0; 2],
                kernel: 0,
                flags: 0,
                name,
                device: 0,
                attach_type,
            },
        );
        let folder = File::open(cgroup).unwrap();
        let link = call(
            LINK_CREATE,
            &mut Link {
                program: program.as_raw_fd(),
                target: folder.as_raw_fd(),
                attach_type,
                flags: 0,
            },
        );
        Hanging {
            _program: program,
            _link: link,
        }
    }
}

fn call<T>(command: libc::c_long, arguments: &mut T) -> OwnedFd {
    // SAFETY: the structures are what these two commands read, and what they point to lives until the call is over.
    let made = unsafe {
        libc::syscall(
            libc::SYS_bpf,
            command,
            std::ptr::from_mut(arguments),
            size_of::<T>(),
        )
    };
    let made = RawFd::try_from(made).unwrap();
    assert!(made >= 0, "{}", io::Error::last_os_error());
    // SAFETY: the kernel just made this descriptor, and nobody else knows it.
    unsafe { OwnedFd::from_raw_fd(made) }
}

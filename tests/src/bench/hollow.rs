//! A backstop that does nothing, for packets of the proxy and the upstream, which no other program sees: what the kernel
//! counts for it is what being counted takes. After another on the same packet it would find all it needs in the near caches,
//! and take less than the first one is counted with.
//!
//! By hand and not by a library, because nothing but the enforcer's own room loads programs with one, and this one has two
//! instructions.

use std::{
    fs::File,
    io,
    os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd, RawFd},
    path::Path,
};

use anyhow::{Context, Result};

/// Commands of bpf(2), and what of linux/bpf.h they are given here.
const PROG_LOAD: libc::c_long = 5;
const LINK_CREATE: libc::c_long = 28;
const PROG_TYPE_CGROUP_SKB: u32 = 8;
const CGROUP_INET_EGRESS: u32 = 1;
/// `r0 = 1`, which lets the packet pass, and `exit`.
const INSTRUCTIONS: [u64; 2] = [0x1_0000_00b7, 0x95];

/// It hangs while this value lives.
#[derive(Debug)]
pub(super) struct Hollow {
    _program: OwnedFd,
    _link: OwnedFd,
}

/// The leading fields of `union bpf_attr` for each of the commands.
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

#[repr(C)]
struct Link {
    program: RawFd,
    target: RawFd,
    attach_type: u32,
    flags: u32,
}

impl Hollow {
    /// Hangs it on a cgroup.
    pub(super) fn hang(cgroup: &Path) -> Result<Self> {
        let licence = c"Apache-2.0";
        let mut load = Load {
            kind: PROG_TYPE_CGROUP_SKB,
            count: u32::try_from(INSTRUCTIONS.len())?,
            instructions: INSTRUCTIONS.as_ptr().expose_provenance() as u64,
            licence: licence.as_ptr().expose_provenance() as u64,
            log: [0; 2],
            kernel: 0,
            flags: 0,
            name: *b"hollow\0\0\0\0\0\0\0\0\0\0",
            device: 0,
            attach_type: CGROUP_INET_EGRESS,
        };
        let program =
            call(PROG_LOAD, &mut load).context("cannot load a program that does nothing")?;
        let folder = File::open(cgroup).context("cannot open the agent's cgroup")?;
        let mut link = Link {
            program: program.as_raw_fd(),
            target: folder.as_raw_fd(),
            attach_type: CGROUP_INET_EGRESS,
            flags: 0,
        };
        let link =
            call(LINK_CREATE, &mut link).context("cannot hang a program that does nothing")?;
        Ok(Self {
            _program: program,
            _link: link,
        })
    }
}

/// One of the two commands, both of which give back a descriptor.
fn call<T>(command: libc::c_long, arguments: &mut T) -> io::Result<OwnedFd> {
    // SAFETY: the structures are what these commands read, and what they point to lives until the call is over.
    let made = unsafe {
        libc::syscall(
            libc::SYS_bpf,
            command,
            std::ptr::from_mut(arguments),
            size_of::<T>(),
        )
    };
    match RawFd::try_from(made) {
        // SAFETY: the kernel just made this descriptor, and nobody else knows it.
        Ok(made) if made >= 0 => Ok(unsafe { OwnedFd::from_raw_fd(made) }),
        Ok(_) | Err(_) => Err(io::Error::last_os_error()),
    }
}

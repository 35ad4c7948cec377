//! What a confined command may ask the kernel for: sockets of four families, no io_uring, no typing at its terminal.
//!
//! A system call by another entry than this machine's own (32-bit code) ends the process: its numbers mean other calls. The
//! x32 entry shares this machine's and differs by a bit in the number, so each rule is there twice.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen as Len, SeccompCmpOp as Op, SeccompCondition,
    SeccompFilter, SeccompRule,
};

use super::Waiver;
use crate::KernelError;

/// The families of sockets that may be made: unix, internet of both versions, netlink. Netlink never leaves the machine, and
/// what programs ask for their own addresses by it is their own namespace's.
pub const FAMILIES: [i32; 4] = [
    libc::AF_UNIX,
    libc::AF_INET,
    libc::AF_INET6,
    libc::AF_NETLINK,
];
/// The calls that io_uring needs. One of its operations makes sockets, and this filter does not see operations.
pub const IO_URING: [(&str, i64); 3] = [
    ("io_uring_setup", libc::SYS_io_uring_setup),
    ("io_uring_enter", libc::SYS_io_uring_enter),
    ("io_uring_register", libc::SYS_io_uring_register),
];
/// Requests of ioctl(2) that put characters into a terminal's input, where the caller's shell would read them once the
/// command has ended.
pub const TERMINAL_INPUT: [u64; 2] = [libc::TIOCSTI, TIOCLINUX];

/// From `asm-generic/ioctls.h`: pasting into a virtual console.
const TIOCLINUX: u64 = 0x541c;
/// The bit that x32 calls have in their number: `asm/unistd.h`.
#[cfg(target_arch = "x86_64")]
const X32: i64 = 0x4000_0000;

/// A program for seccomp(2).
#[derive(Debug)]
pub(super) struct Filter {
    programs: Vec<BpfProgram>,
}

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

impl Filter {
    pub(super) fn new(waived: &BTreeSet<Waiver>) -> Result<Self, KernelError> {
        let failed = |error| {
            KernelError::call(
                "preparing a filter of system calls",
                io::Error::other(error),
            )
        };
        let mut programs = vec![compile(terminal().map_err(failed)?, libc::EPERM).map_err(failed)?];
        if !waived.contains(&Waiver::SocketFamilies) {
            // What a kernel without such a family says, so that programs do as they would there.
            programs
                .push(compile(families().map_err(failed)?, libc::EAFNOSUPPORT).map_err(failed)?);
        }
        if !waived.contains(&Waiver::IoUring) {
            let rules = IO_URING.iter().map(|(_, number)| (*number, Vec::new()));
            programs.push(compile(rules.collect(), libc::EPERM).map_err(failed)?);
        }
        Ok(Self { programs })
    }

    /// Puts the calling process and whatever it executes behind the filter. It must have set `no_new_privs` or may administer
    /// the system.
    pub(super) fn enter(&self) -> io::Result<()> {
        self.programs.iter().try_for_each(install)
    }
}

/// Every family but those that may be.
fn families() -> Result<Rules, seccompiler::Error> {
    let others = FAMILIES
        .iter()
        .map(|family| {
            SeccompCondition::new(0, Len::Dword, Op::Ne, u64::from(family.unsigned_abs()))
        })
        .collect::<Result<Vec<_>, _>>()?;
    let rule = SeccompRule::new(others)?;
    Ok([libc::SYS_socket, libc::SYS_socketpair]
        .map(|number| (number, vec![rule.clone()]))
        .into())
}

fn terminal() -> Result<Rules, seccompiler::Error> {
    let rules = TERMINAL_INPUT
        .iter()
        // The kernel takes the request's lower half alone.
        .map(|request| {
            SeccompRule::new(vec![SeccompCondition::new(
                1,
                Len::Dword,
                Op::Eq,
                *request,
            )?])
        })
        .collect::<Result<Vec<_>, _>>()?;
    Ok([(libc::SYS_ioctl, rules)].into())
}

/// What the rules match gets `errno`.
fn compile(rules: Rules, errno: i32) -> Result<BpfProgram, seccompiler::Error> {
    let rules = twice(rules);
    let refused = SeccompAction::Errno(errno.unsigned_abs());
    let arch = std::env::consts::ARCH.try_into()?;
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, refused, arch)?;
    Ok(BpfProgram::try_from(filter)?)
}

#[cfg(target_arch = "x86_64")]
fn twice(rules: Rules) -> Rules {
    let x32 = rules.clone().into_iter().map(|(number, rules)| {
        // One of the few calls that x32 has a number of its own for, beside the shared one.
        let own = (number == libc::SYS_ioctl).then_some((X32 | 514, rules.clone()));
        [Some((X32 | number, rules)), own]
    });
    let x32: Vec<_> = x32.flatten().flatten().collect();
    rules.into_iter().chain(x32).collect()
}

#[cfg(not(target_arch = "x86_64"))]
fn twice(rules: Rules) -> Rules {
    rules
}

fn install(program: &BpfProgram) -> io::Result<()> {
    let length = u16::try_from(program.len()).map_err(|_| io::ErrorKind::InvalidData)?;
    let program = libc::sock_fprog {
        len: length,
        // The two libraries' structures are one of the kernel's; it only reads them.
        filter: program.as_ptr().cast_mut().cast(),
    };
    // SAFETY: the structure points at as many instructions as it says.
    let done = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            0,
            &raw const program,
        )
    };
    if done == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

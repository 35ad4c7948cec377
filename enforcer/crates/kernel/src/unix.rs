//! The programs for unix sockets, of a kind that the loader library does not know: relocated by its parser, loaded by hand.

use std::os::fd::OwnedFd;
use std::path::Path;

use aya_obj::generated::bpf_insn;
use enforcer_common::workload_flag::UNIX_REFUSED;
use enforcer_flow::CgroupId;

use crate::hooks::{self, HookPoint};
use crate::programs::write_error;
use crate::{KernelError, Programs, by_hand, sys};

/// What becomes of a workload's unix sockets that are connected by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnixSockets {
    /// They are let through.
    Open,
    /// They are refused, its own among them: from the kernel nobody can tell them apart.
    Refused,
}

/// Whether this kernel has such programs (Linux 6.7), found out by loading one.
#[must_use]
pub fn is_supported() -> bool {
    // `r0 = 1; exit`
    let program = [instruction(0xb7, 1), instruction(0x95, 0)];
    let [connect, _] = hooks::UNIX;
    sys::load_sock_addr(connect.attach_type, &program).is_ok()
}

/// Loads them from the object; none on a kernel without the kind. The maps must be pinned in `maps` already.
pub(crate) fn load(object: &[u8], maps: &Path) -> Result<Vec<(HookPoint, OwnedFd)>, KernelError> {
    if !is_supported() {
        tracing::debug!("this kernel has no programs for unix sockets: it needs Linux 6.7");
        return Ok(Vec::new());
    }
    hooks::UNIX
        .into_iter()
        .map(|hook| Ok((hook, load_one(object, maps, hook)?)))
        .collect()
}

fn load_one(object: &[u8], maps: &Path, hook: HookPoint) -> Result<OwnedFd, KernelError> {
    let loaded = by_hand::load(object, maps, hook.name, |code| {
        sys::load_sock_addr(hook.attach_type, code)
    });
    loaded.map_err(|error| KernelError::call("loading a program for unix sockets", error))
}

fn instruction(code: u8, value: i32) -> bpf_insn {
    bpf_insn {
        code,
        _bitfield_align_1: [],
        _bitfield_1: bpf_insn::new_bitfield_1(0, 0),
        off: 0,
        imm: value,
    }
}

impl Programs {
    /// Whether unix sockets of workloads can be refused on this kernel.
    #[must_use]
    pub fn see_unix_sockets(&self) -> bool {
        let [connect, _] = hooks::UNIX;
        self.programs()
            .iter()
            .any(|(hook, _)| hook.name == connect.name)
    }

    /// Says what becomes of a workload's unix sockets. It holds without us for as long as the pinned maps do.
    ///
    /// # Errors
    /// When the map cannot be written.
    pub fn treat_unix_sockets(&self, id: CgroupId, how: UnixSockets) -> Result<(), KernelError> {
        let mut entry = self
            .workloads
            .find(&id.0)
            .map_err(write_error)?
            .unwrap_or_default();
        entry.flags = match how {
            UnixSockets::Open => entry.flags & !UNIX_REFUSED,
            UnixSockets::Refused => entry.flags | UNIX_REFUSED,
        };
        self.workloads.set(&id.0, &entry).map_err(write_error)
    }
}

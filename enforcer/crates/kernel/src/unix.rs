//! The programs for unix sockets, of a kind that the loader library does not know: relocated by its parser, loaded by hand.

use std::collections::HashSet;
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::Path;

use aya_obj::Object;
use aya_obj::generated::bpf_insn;
use enforcer_common::workload_flag::UNIX_REFUSED;
use enforcer_flow::CgroupId;

use crate::hooks::{self, HookPoint};
use crate::programs::write_error;
use crate::{KernelError, Programs, sys};

/// The maps that these programs use.
const MAPS: [&str; 3] = ["EVENTS", "LOST", "WORKLOADS"];

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
    let failed = |error: io::Error| KernelError::call("loading a program for unix sockets", error);
    let other = |error: Box<dyn std::error::Error + Send + Sync>| failed(io::Error::other(error));
    let mut object = Object::parse(object).map_err(|error| other(error.into()))?;
    let entries: HashSet<usize> = object
        .programs
        .values()
        .map(|program| program.section_index)
        .collect();
    object.programs.retain(|name, _| name == hook.name);
    let program = object.programs.get(hook.name);
    let key = program
        .map(aya_obj::Program::function_key)
        .ok_or_else(|| other("it is not in the object".into()))?;
    let sections: HashSet<usize> = object
        .functions
        .keys()
        .map(|(section, _)| *section)
        .collect();
    // Other programs refer to maps that are not at hand here; what several call stands in no program's section.
    object
        .functions
        .retain(|of, _| *of == key || !entries.contains(&of.0));
    let known = object.maps.clone();
    let pinned = MAPS
        .into_iter()
        .map(|name| Ok((name, sys::open_pin(&maps.join(name)).map_err(failed)?)))
        .collect::<Result<Vec<_>, KernelError>>()?;
    let named = pinned
        .iter()
        .filter_map(|(name, fd)| Some((*name, fd.as_raw_fd(), known.get(*name)?)));
    object
        .relocate_maps(named, &sections)
        .map_err(|error| other(error.into()))?;
    object
        .relocate_calls(&sections)
        .map_err(|error| other(error.into()))?;
    let function = object.functions.get(&key);
    let function = function.ok_or_else(|| other("it has no code".into()))?;
    sys::load_sock_addr(hook.attach_type, &function.instructions).map_err(failed)
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

//! BPF LSM: whether a program of that kind can be loaded, hung on a cgroup, and fires there.
//!
//! Kernels have been seen that take such programs and never run them, and others that refuse to load them for reasons that
//! no documentation names. So nothing else than firing proves anything.

use std::ffi::CStr;
use std::fs::File;
use std::io;
use std::os::fd::AsFd as _;
use std::path::Path;
use std::process::Command;

use aya::{Btf, BtfError};
use aya_obj::btf::BtfKind;

use crate::{KernelError, Placement, sys};

/// The function that the kernel calls for `socket(2)`.
const HOOK: &str = "bpf_lsm_socket_create";
/// `BPF_LSM_CGROUP`.
const LSM_CGROUP: u32 = 43;
/// `BPF_PROG_TYPE_LSM`.
const LSM: u32 = 29;

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lsm {
    /// It was loaded and hung on a cgroup, and nothing came of it.
    Deaf,
    /// It refused what it was to refuse.
    Fires,
    /// The kernel does not take it, and says this.
    Refused(String),
}

#[repr(C)]
#[derive(Default)]
struct Load {
    kind: u32,
    count: u32,
    instructions: u64,
    licence: u64,
    log_level: u32,
    log_size: u32,
    log: u64,
    version: u32,
    flags: u32,
    name: [u8; 16],
    device: u32,
    attach_type: u32,
    btf: u32,
    func_size: u32,
    funcs: u64,
    func_count: u32,
    line_size: u32,
    lines: u64,
    line_count: u32,
    attach_btf_id: u32,
}

/// Tries it on the cgroup that `dir` is. `actor` must fail when `socket(2)` does.
///
/// # Errors
/// When it cannot be tried.
pub fn lsm(dir: &Path, actor: &mut Command) -> Result<Lsm, KernelError> {
    let failed = |error| KernelError::call("trying a program of the LSM kind", error);
    let function = match function() {
        Ok(id) => id,
        Err(error) => return Ok(Lsm::Refused(error.to_string())),
    };
    let program = match load(function) {
        Ok(program) => program,
        Err(error) => return Ok(Lsm::Refused(error.to_string())),
    };
    let folder = File::open(dir).map_err(|error| KernelError::file("open", dir, error))?;
    let _link = match sys::link_create(program.as_fd(), folder.as_fd(), LSM_CGROUP) {
        Ok(link) => link,
        Err(error) => return Ok(Lsm::Refused(error.to_string())),
    };
    let _progress = Placement::new(dir, None)?.apply(actor)?;
    let ended = actor.output().map_err(failed)?;
    Ok(if ended.status.success() {
        Lsm::Deaf
    } else {
        Lsm::Fires
    })
}

fn function() -> Result<u32, BtfError> {
    Btf::from_sys_fs()?.id_by_type_name_kind(HOOK, BtfKind::Func)
}

/// Refuses everything: a program on a cgroup that returns 0 does.
fn load(function: u32) -> io::Result<std::os::fd::OwnedFd> {
    const LICENCE: &CStr = c"Apache-2.0";
    let instructions: [[u8; 8]; 2] = [[0xb7, 0, 0, 0, 0, 0, 0, 0], [0x95, 0, 0, 0, 0, 0, 0, 0]];
    let mut arguments = Load {
        kind: LSM,
        count: 2,
        instructions: instructions.as_ptr().expose_provenance() as u64,
        licence: LICENCE.as_ptr().expose_provenance() as u64,
        attach_type: LSM_CGROUP,
        attach_btf_id: function,
        ..Load::default()
    };
    // SAFETY: the structure is what this command reads; program and licence live until the call is over.
    unsafe { sys::open(sys::PROG_LOAD, &mut arguments) }
}

//! The programs for unix sockets, of a kind that the loader library does not know: relocated by its parser, loaded by hand.

use std::collections::HashSet;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use aya_obj::generated::bpf_insn;
use enforcer_common::UnixSocketKey;
use enforcer_common::workload_flag::{UNIX_LISTED, UNIX_REFUSED};
use enforcer_flow::CgroupId;
use rustix::fs::{FileType, major, minor, stat};

use crate::hooks::{self, HookPoint};
use crate::programs::write_error;
use crate::{KernelError, Programs, by_hand, sys};

/// What becomes of a workload's unix sockets that are connected by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnixSockets {
    /// They are let through.
    Open,
    /// Those on the list are let through, and its own; see [`Programs::allow_unix_sockets`]. Where nothing can tell them apart,
    /// it is the same as `Refused`.
    Listed,
    /// They are refused, its own among them.
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

/// The socket at a path; none where there is none, or something else.
fn found(path: &Path) -> Option<UnixSocketKey> {
    let about = stat(path).ok()?;
    let (major, minor) = (major(about.st_dev), minor(about.st_dev));
    let is_socket = FileType::from_raw_mode(about.st_mode) == FileType::Socket;
    is_socket.then(|| UnixSocketKey::new(major, minor, about.st_ino))
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
        let bits = match how {
            UnixSockets::Open => 0,
            UnixSockets::Listed if self.tell_unix_sockets_apart(id) => UNIX_LISTED,
            UnixSockets::Listed | UnixSockets::Refused => UNIX_REFUSED,
        };
        entry.flags = entry.flags & !(UNIX_REFUSED | UNIX_LISTED) | bits;
        self.workloads.set(&id.0, &entry).map_err(write_error)
    }

    /// Whether the programs that know one unix socket from another hang on a cgroup.
    #[must_use]
    pub fn tell_unix_sockets_apart(&self, id: CgroupId) -> bool {
        hooks::UNIX_LSM.iter().all(|hook| {
            let is_loaded = self.programs().iter().any(|(of, _)| of.name == hook.name);
            let link = self.linked(id, *hook);
            is_loaded && link.is_ok_and(|link| link.is_some_and(|link| link.cgroup == id.0))
        })
    }

    /// Says which sockets of others workloads may connect that are [`UnixSockets::Listed`]: those that are found at these
    /// paths now, by whatever name. What was there before and is not now goes. To be called again and again, since a service
    /// that starts anew is another file.
    ///
    /// # Errors
    /// When the map cannot be written, or has no room for so many.
    pub fn allow_unix_sockets(&self, paths: &[PathBuf]) -> Result<(), KernelError> {
        let wanted: HashSet<UnixSocketKey> = paths.iter().filter_map(|path| found(path)).collect();
        let before = self.unix_allowed.keys().map_err(write_error)?;
        for key in before.iter().filter(|key| !wanted.contains(key)) {
            self.unix_allowed.remove(key).map_err(write_error)?;
        }
        for key in wanted.iter().filter(|key| !before.contains(key)) {
            self.unix_allowed.set(key, &1).map_err(write_error)?;
        }
        Ok(())
    }
}

//! The embedded object: parsed, its maps made or adopted, its programs loaded.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use aya::maps::{Map, MapData, MapError};
use aya::programs::{Program, ProgramError};
use aya::sys::is_program_supported;
use aya::util::KernelVersion;
use aya::{Ebpf, EbpfError, EbpfLoader, include_bytes_aligned};

use rustix::thread::{CapabilitySet, capabilities};

use crate::KernelError;
use crate::error::lacks_rights;
use crate::hooks::{HOOKS, HookPoint};
use crate::unix;

/// The maps by name; each is pinned under it.
const MAPS: [&str; 13] = [
    "CARRIED",
    "CHANGES",
    "EVENTS",
    "FLOWS",
    "LAYOUT",
    "LOOKUPS",
    "LOST",
    "NETNS",
    "SEALS",
    "SOCKETS",
    "UNIX_ALLOWED",
    "UNIX_LAYOUT",
    "WORKLOADS",
];

/// What the object became in the kernel.
pub(crate) struct Loaded {
    /// The programs, in the order in which they are attached.
    pub(crate) programs: Vec<(HookPoint, OwnedFd)>,
    /// The one for wires.
    pub(crate) seal: OwnedFd,
    /// What they share with us.
    pub(crate) maps: Maps,
    /// The ring of refusals.
    pub(crate) events: Map,
}

/// The maps that are read or written from here.
pub(crate) struct Maps {
    pub(crate) changes: OwnedFd,
    pub(crate) flows: OwnedFd,
    pub(crate) layout: OwnedFd,
    pub(crate) lookups: OwnedFd,
    pub(crate) lost: OwnedFd,
    pub(crate) netns: OwnedFd,
    pub(crate) seals: OwnedFd,
    pub(crate) unix_allowed: OwnedFd,
    pub(crate) unix_layout: OwnedFd,
    pub(crate) workloads: OwnedFd,
}

impl Loaded {
    /// Loads everything; maps that are pinned in `maps` are adopted, the others made and pinned there.
    pub(crate) fn new(object: &[u8], maps: &Path) -> Result<Self, KernelError> {
        if aya::features().btf().is_none() {
            return Err(KernelError::Btf);
        }
        let mut loader = EbpfLoader::new();
        // The programs read no kernel structure whose layout varies, so nothing is relocated against the kernel's types;
        // reading all of those would cost 30 MiB and most of the loading time.
        loader.btf(None);
        loader.override_global("NETNS_AT_EGRESS", tells_netns_at_egress(), true);
        for name in MAPS {
            loader.map_pin_path(name, maps.join(name));
        }
        let mut ebpf = loader.load(object).map_err(prepare_error)?;
        let mut programs = unix::load(object, maps)?;
        for hook in HOOKS {
            programs.push((hook, load(&mut ebpf, hook.name)?));
        }
        let seal = load(&mut ebpf, "seal")?;
        Ok(Self {
            programs,
            seal,
            maps: Maps {
                changes: map(&ebpf, "CHANGES")?,
                flows: map(&ebpf, "FLOWS")?,
                layout: map(&ebpf, "LAYOUT")?,
                lookups: map(&ebpf, "LOOKUPS")?,
                lost: map(&ebpf, "LOST")?,
                netns: map(&ebpf, "NETNS")?,
                seals: map(&ebpf, "SEALS")?,
                unix_allowed: map(&ebpf, "UNIX_ALLOWED")?,
                unix_layout: map(&ebpf, "UNIX_LAYOUT")?,
                workloads: map(&ebpf, "WORKLOADS")?,
            },
            events: ebpf.take_map("EVENTS").ok_or_else(|| absent("EVENTS"))?,
        })
    }
}

/// Whether programs that see packets may ask for their network namespace
/// (<https://github.com/torvalds/linux/blob/v6.15/net/core/filter.c#L8195>).
fn tells_netns_at_egress() -> &'static u8 {
    let since = KernelVersion::new(6, 15, 0);
    match KernelVersion::current() {
        Ok(running) if running >= since => &1,
        Ok(_) | Err(_) => &0,
    }
}

/// The object that the build embedded.
pub(crate) fn embedded() -> Result<&'static [u8], KernelError> {
    present(include_bytes_aligned!(concat!(env!("OUT_DIR"), "/object")))
}

/// An object is empty when `cargo xtask ebpf` was not run before the build.
fn present(object: &[u8]) -> Result<&[u8], KernelError> {
    if object.is_empty() {
        Err(KernelError::ObjectMissing)
    } else {
        Ok(object)
    }
}

/// Says early what would otherwise fail in one of many places, some of which look like a lack of something else.
pub(crate) fn check_rights() -> Result<(), KernelError> {
    let needed = CapabilitySet::BPF | CapabilitySet::NET_ADMIN;
    let held = capabilities(None).map_or(CapabilitySet::empty(), |sets| sets.effective);
    if held.contains(needed) || held.contains(CapabilitySet::SYS_ADMIN) {
        return Ok(());
    }
    let source = io::Error::from_raw_os_error(libc::EPERM);
    Err(KernelError::call("loading the kernel's programs", source))
}

/// A descriptor of the map `name`.
fn map(ebpf: &Ebpf, name: &'static str) -> Result<OwnedFd, KernelError> {
    let data = match ebpf.map(name) {
        Some(
            Map::Array(data) | Map::HashMap(data) | Map::LruHashMap(data) | Map::PerCpuArray(data),
        ) => data,
        Some(_) | None => return Err(absent(name)),
    };
    duplicate(data.fd())
}

/// Another descriptor of the same thing.
pub(crate) fn duplicate(fd: impl AsFd) -> Result<OwnedFd, KernelError> {
    let copy = fd.as_fd().try_clone_to_owned();
    copy.map_err(|source| KernelError::call("duplicating a descriptor", source))
}

fn load(ebpf: &mut Ebpf, name: &'static str) -> Result<OwnedFd, KernelError> {
    let refused = |source| program_error(name, source);
    let program = ebpf.program_mut(name).ok_or_else(|| absent(name))?;
    match program {
        Program::CgroupSkb(program) => program.load(),
        Program::CgroupSock(program) => program.load(),
        Program::CgroupSockAddr(program) => program.load(),
        Program::CgroupSockopt(program) => program.load(),
        Program::SchedClassifier(program) => program.load(),
        Program::SockOps(program) => program.load(),
        _ => return Err(absent(name)),
    }
    .map_err(refused)?;
    duplicate(program.fd().map_err(refused)?)
}

/// An object that lacks what this crate was written for: someone else's, or one of another version.
fn absent(name: &'static str) -> KernelError {
    KernelError::Object(Box::new(EbpfError::MapError(MapError::InvalidName {
        name: name.into(),
    })))
}

fn prepare_error(error: EbpfError) -> KernelError {
    match error {
        EbpfError::MapError(MapError::CreateError { io_error, .. }) if lacks_rights(&io_error) => {
            KernelError::call("making a map", io_error)
        }
        error => KernelError::Object(Box::new(error)),
    }
}

fn program_error(program: &'static str, error: ProgramError) -> KernelError {
    match error {
        ProgramError::LoadError { io_error, .. } if lacks_rights(&io_error) => {
            KernelError::call("loading a program", io_error)
        }
        source => match unsupported() {
            Some(kind) => KernelError::CgroupBpf { kind },
            None => KernelError::Program {
                program,
                source: Box::new(source),
            },
        },
    }
}

/// The first kind of program that this kernel does not have at all.
fn unsupported() -> Option<&'static str> {
    use aya::programs::ProgramType as Kind;
    [
        (Kind::CgroupSockAddr, "cgroup/sock_addr"),
        (Kind::CgroupSock, "cgroup/sock"),
        (Kind::CgroupSkb, "cgroup/skb"),
        (Kind::SockOps, "sock_ops"),
    ]
    .into_iter()
    .find_map(|(kind, name)| matches!(is_program_supported(kind), Ok(false)).then_some(name))
}

/// A ring buffer over the events' map.
pub(crate) fn ring(map: Map) -> Result<aya::maps::RingBuf<MapData>, KernelError> {
    aya::maps::RingBuf::try_from(map)
        .map_err(|error| KernelError::Object(Box::new(EbpfError::MapError(error))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_without_the_programs_says_how_to_build_them() {
        let error = present(&[]).expect_err("there is no object");
        assert!(error.to_string().contains("cargo xtask build"), "{error}");
        assert!(present(&[0]).is_ok());
    }
}

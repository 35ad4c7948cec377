//! The programs in the kernel: loaded once, hung on each agent's cgroup, told where the listeners are.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use aya::maps::{Map, MapData, RingBuf};
use enforcer_common::{
    KernelLayout, NetnsEntry, OriginKey, OriginValue, SealEntry, UnixLayout, UnixSocketKey,
    WorkloadEntry,
};
use enforcer_flow::{CgroupId, NetnsCookie};

use crate::hooks::{HookPoint, LSM_CGROUP};
use crate::object::{self, Loaded, duplicate, ring};
use crate::origins::Tables;
use crate::pins::{self, Pins};
use crate::table::Table;
use crate::{Events, KernelError, Origins, Ports, Refused, cgroup, link};

/// The key in `WORKLOADS` of tasks in no labelled cgroup: they have an event budget, and nothing else.
const NOBODY: u64 = 0;

/// The programs, and what they share with us.
///
/// Dropping this leaves everything pinned: agents stay enforced, and are refused until a successor serves them.
pub struct Programs {
    pins: Pins,
    programs: Vec<(HookPoint, OwnedFd)>,
    changes: Table<u32, u32>,
    flows: Table<OriginKey, OriginValue>,
    lookups: Table<OriginKey, OriginValue>,
    layout: Table<u32, KernelLayout>,
    netns: Table<u64, NetnsEntry>,
    pub(crate) workloads: Table<u64, WorkloadEntry>,
    seal: OwnedFd,
    seals: Table<u64, SealEntry>,
    pub(crate) unix_allowed: Table<UnixSocketKey, u32>,
    pub(crate) unix_layout: Table<u32, UnixLayout>,
    lost: OwnedFd,
    events: Mutex<Option<Map>>,
    /// Whether attaching goes on without the programs for the kernel's security modules.
    without_lsm: bool,
}

impl Programs {
    /// Loads the programs and claims `pins`, a folder in a BPF file system (`/sys/fs/bpf` is mounted if it is not). What a
    /// dead predecessor pinned there is adopted: its cgroups stay enforced throughout, by its programs until each is
    /// attached anew. Its listeners died with it, so nothing is served before [`Programs::serve`].
    ///
    /// # Errors
    /// When the binary carries no programs, the rights do not suffice, the kernel lacks something, or a live instance
    /// holds `pins`.
    pub fn load(pins: &Path) -> Result<Self, KernelError> {
        let object = object::embedded()?;
        object::check_rights()?;
        let pins = Pins::claim(pins)?;
        match pins.maps().and_then(|maps| Loaded::new(object, &maps)) {
            Ok(loaded) => Self::adopt(pins, loaded),
            Err(error) => {
                // A predecessor's pins stay, and go on enforcing; what was just made goes.
                if pins.linked().is_empty()
                    && let Err(left) = pins.release()
                {
                    tracing::error!(error = %left, "pins of programs that could not be loaded were left behind");
                }
                Err(error)
            }
        }
    }

    fn adopt(pins: Pins, loaded: Loaded) -> Result<Self, KernelError> {
        let Loaded {
            programs,
            seal,
            maps,
            events,
        } = loaded;
        // SAFETY: the object declares these maps with the types given here.
        let (changes, flows, layout, lookups, netns, workloads, seals) = unsafe {
            (
                Table::new(maps.changes),
                Table::new(maps.flows),
                Table::new(maps.layout),
                Table::new(maps.lookups),
                Table::new(maps.netns),
                Table::new(maps.workloads),
                Table::new(maps.seals),
            )
        };
        // SAFETY: as above.
        let (unix_allowed, unix_layout) =
            unsafe { (Table::new(maps.unix_allowed), Table::new(maps.unix_layout)) };
        let adopted = Self {
            pins,
            programs,
            changes,
            flows,
            lookups,
            layout,
            netns,
            workloads,
            seal,
            seals,
            unix_allowed,
            unix_layout,
            lost: maps.lost,
            events: Mutex::new(Some(events)),
            without_lsm: false,
        };
        adopted.tidy()?;
        Ok(adopted)
    }

    /// Clears away what of a predecessor's is of no use: listeners that died with it, links of cgroups that are gone, maps
    /// in other layouts (whose programs hold on to them without pins).
    fn tidy(&self) -> Result<(), KernelError> {
        self.workloads
            .add(&NOBODY, &WorkloadEntry::default())
            .map_err(write_error)?;
        for cookie in self.netns.keys().map_err(write_error)? {
            self.netns.remove(&cookie).map_err(write_error)?;
        }
        self.changed()?;
        let mount = cgroup::mount()?;
        for id in self.attached() {
            if cgroup::is_gone(&mount, id) {
                self.detach(id)?;
            }
        }
        self.pins.forget_old_maps()
    }

    /// Hangs all programs on the cgroup `id`, which `cgroup_dir` must be. From here on its processes, and those of cgroups
    /// below it, reach nothing but the listeners of their namespace. A predecessor's programs are replaced one by one,
    /// each in a single step. If it fails half-way, what was new is taken back.
    ///
    /// # Errors
    /// When the directory is not that cgroup, is the root, or holds this process; or when the kernel declines.
    pub fn attach(&self, cgroup_dir: &Path, id: CgroupId) -> Result<(), KernelError> {
        let folder = cgroup::open_agent(cgroup_dir, id)?;
        let links = self.pins.links(id);
        let adopted = links.exists();
        pins::create(&links)?;
        // Labelled first: a program that runs in an unlabelled cgroup refuses.
        self.workloads
            .add(&id.0, &WorkloadEntry::default())
            .map_err(write_error)?;
        let mut made = Vec::new();
        for (hook, program) in &self.programs {
            let pin = links.join(hook.name);
            match link::hang(program.as_fd(), *hook, &folder, &pin) {
                Ok(true) => made.push(pin),
                Ok(false) => {}
                // Something more, which others make up for; the watchdog goes on saying that it is missing.
                Err(error) if self.may_do_without(*hook) => {
                    tracing::debug!(cgroup.id = %id, hook = hook.name, %error, "a program was left out");
                }
                Err(error) => {
                    self.take_back(id, adopted, &made);
                    return Err(error);
                }
            }
        }
        self.pins.unlink_all_but(id, |name| self.has(name))
    }

    fn has(&self, name: &str) -> bool {
        self.programs.iter().any(|(hook, _)| hook.name == name)
    }

    /// Undoes half an attachment: all of it, or beside a predecessor's links the new ones alone.
    fn take_back(&self, id: CgroupId, adopted: bool, made: &[PathBuf]) {
        let undone = if adopted {
            made.iter().rev().try_for_each(|pin| link::unpin(pin))
        } else {
            self.detach(id)
        };
        if let Err(error) = undone {
            tracing::error!(cgroup.id = %id, error = %error, "half-attached programs were left behind");
        }
    }

    /// Takes the programs off a cgroup. Its processes are free from here on.
    ///
    /// # Errors
    /// When a program cannot be taken off or a pin cannot be removed.
    pub fn detach(&self, id: CgroupId) -> Result<(), KernelError> {
        self.pins.unlink(id)?;
        self.workloads.remove(&id.0).map_err(write_error)?;
        // The program that would have withdrawn these no longer runs.
        for key in self.flows.keys().map_err(write_error)? {
            let value = self.flows.find(&key).map_err(write_error)?;
            if value.is_some_and(|value| value.cgroup == id.0) {
                self.flows.remove(&key).map_err(write_error)?;
            }
        }
        Ok(())
    }

    pub(crate) fn programs(&self) -> &[(HookPoint, OwnedFd)] {
        &self.programs
    }

    /// Adds programs, to be attached before the others from now on.
    pub(crate) fn add(&mut self, programs: Vec<(HookPoint, OwnedFd)>, optional: bool) {
        self.programs.splice(0..0, programs);
        self.without_lsm = optional;
    }

    fn may_do_without(&self, hook: HookPoint) -> bool {
        self.without_lsm && hook.attach_type == LSM_CGROUP
    }

    pub(crate) fn layout(&self) -> &Table<u32, KernelLayout> {
        &self.layout
    }

    pub(crate) fn pins(&self) -> &Pins {
        &self.pins
    }

    /// The cgroups that programs hang on, a predecessor's among them.
    #[must_use]
    pub fn attached(&self) -> Vec<CgroupId> {
        self.pins.linked()
    }

    /// Tells the programs where the listeners of a namespace are. Before that its agents are refused.
    ///
    /// # Errors
    /// When the map cannot be written.
    pub fn serve(&self, netns: NetnsCookie, ports: Ports) -> Result<(), KernelError> {
        self.netns
            .set(&netns.0, &ports.entry())
            .map_err(write_error)?;
        self.changed()
    }

    /// Has the programs refuse everything in a namespace.
    ///
    /// # Errors
    /// When the map cannot be written.
    pub fn unserve(&self, netns: NetnsCookie) -> Result<(), KernelError> {
        self.netns.remove(&netns.0).map_err(write_error)?;
        self.changed()
    }

    /// Has every socket judged anew with its next packet. To be called after each change of what packets are judged by.
    pub(crate) fn changed(&self) -> Result<(), KernelError> {
        let before = self.changes.find(&0).map_err(write_error)?.unwrap_or(0);
        // Zero says that nothing was ever changed, and that nothing is remembered.
        let next = before.checked_add(1).unwrap_or(1);
        self.changes.set(&0, &next).map_err(write_error)
    }

    pub(crate) fn seal_program(&self) -> BorrowedFd<'_> {
        self.seal.as_fd()
    }

    pub(crate) fn seals(&self) -> &Table<u64, SealEntry> {
        &self.seals
    }

    /// What looks up origins. It may outlive this value.
    ///
    /// # Errors
    /// When descriptors run out.
    pub fn origins(&self) -> Result<impl Origins + 'static, KernelError> {
        Ok(Tables {
            flows: self.flows.duplicate()?,
            lookups: self.lookups.duplicate()?,
        })
    }

    /// The stream of refusals, once.
    ///
    /// # Panics
    /// Outside a tokio runtime with I/O enabled: the stream is watched by the runtime it is made in.
    ///
    /// # Errors
    /// When it was handed out before, or the ring cannot be mapped.
    pub fn events(&self) -> Result<Events, KernelError> {
        Events::new(self.ring()?, duplicate(&self.lost)?)
    }

    /// The ring of refusals, once.
    fn ring(&self) -> Result<RingBuf<MapData>, KernelError> {
        let taken = self
            .events
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        ring(taken.ok_or(KernelError::EventsTaken)?)
    }

    /// What was refused until now, once; for who does not follow the stream.
    pub(crate) fn drain_events(&self) -> Result<Vec<Refused>, KernelError> {
        Ok(crate::events::drain(self.ring()?))
    }

    /// Takes the programs off all cgroups and removes every pin.
    ///
    /// # Errors
    /// When a program cannot be taken off or a pin cannot be removed.
    pub fn release(self) -> Result<(), KernelError> {
        self.pins.release()
    }
}

pub(crate) fn write_error(error: io::Error) -> KernelError {
    KernelError::call("using one of the programs' maps", error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_programs_may_be_shared_between_threads() {
        fn check<T: Send + Sync>() {}
        check::<Programs>();
        fn sent<T: Send>() {}
        sent::<Events>();
    }
}

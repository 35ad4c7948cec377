//! The programs in the kernel: loaded once, hung on each agent's cgroup, told where the listeners are.

use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use aya::maps::Map;
use enforcer_common::{NetnsEntry, WorkloadEntry};
use enforcer_flow::{CgroupId, NetnsCookie};

use crate::hooks::HookPoint;
use crate::object::{Loaded, duplicate, ring};
use crate::origins::Tables;
use crate::pins::{self, Pins};
use crate::table::Table;
use crate::{Events, KernelError, Origins, Ports, cgroup, link};

/// The key in `WORKLOADS` of tasks in no labelled cgroup: they have an event budget, and nothing else.
const NOBODY: u64 = 0;

/// The programs, and what they share with us.
///
/// Dropping this leaves everything pinned: agents stay enforced, and are refused until a successor serves them.
pub struct Programs {
    pins: Pins,
    programs: Vec<(HookPoint, OwnedFd)>,
    flows: OwnedFd,
    lookups: OwnedFd,
    lost: OwnedFd,
    events: Mutex<Option<Map>>,
    netns: Table<u64, NetnsEntry>,
    workloads: Table<u64, WorkloadEntry>,
}

impl Programs {
    /// Loads the programs and claims `pins`, a folder in a BPF file system (`/sys/fs/bpf` is mounted if it is not). What a
    /// dead predecessor pinned there is adopted: its cgroups stay enforced throughout, by its programs until each is
    /// attached anew.
    ///
    /// # Errors
    /// When the binary carries no programs, the rights do not suffice, the kernel lacks something, or a live instance
    /// holds `pins`.
    pub fn load(pins: &Path) -> Result<Self, KernelError> {
        let pins = Pins::claim(pins)?;
        let loaded = Loaded::new(&pins.maps()?)?;
        // A predecessor's programs hold on to their maps without the pins.
        pins.forget_old_maps()?;
        let Loaded {
            programs,
            maps,
            events,
        } = loaded;
        // SAFETY: the object declares both maps as hashes with these types.
        let (netns, workloads) = unsafe { (Table::new(maps.netns), Table::new(maps.workloads)) };
        workloads
            .set(&NOBODY, &WorkloadEntry::default())
            .map_err(|error| KernelError::call("writing a map", error))?;
        Ok(Self {
            pins,
            programs,
            flows: maps.flows,
            lookups: maps.lookups,
            lost: maps.lost,
            events: Mutex::new(Some(events)),
            netns,
            workloads,
        })
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
            .set(&id.0, &WorkloadEntry::default())
            .map_err(|error| KernelError::call("writing a map", error))?;
        let mut made = Vec::new();
        for (hook, program) in &self.programs {
            let pin = links.join(hook.name);
            match link::hang(program.as_fd(), *hook, &folder, &pin) {
                Ok(true) => made.push(pin),
                Ok(false) => {}
                Err(error) if adopted => {
                    take_back(&made);
                    return Err(error);
                }
                Err(error) => {
                    if let Err(left) = self.detach(id) {
                        tracing::error!(cgroup.id = %id, error = %left, "half-attached programs were left behind");
                    }
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Takes the programs off a cgroup. Its processes are free from here on.
    ///
    /// # Errors
    /// When a pin cannot be removed.
    pub fn detach(&self, id: CgroupId) -> Result<(), KernelError> {
        self.pins.unlink(id)?;
        self.workloads
            .remove(&id.0)
            .map_err(|error| KernelError::call("writing a map", error))
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
            .map_err(|error| KernelError::call("writing a map", error))
    }

    /// Has the programs refuse everything in a namespace.
    ///
    /// # Errors
    /// When the map cannot be written.
    pub fn unserve(&self, netns: NetnsCookie) -> Result<(), KernelError> {
        self.netns
            .remove(&netns.0)
            .map_err(|error| KernelError::call("writing a map", error))
    }

    /// What looks up origins. It may outlive this value.
    ///
    /// # Errors
    /// When descriptors run out.
    pub fn origins(&self) -> Result<impl Origins + 'static, KernelError> {
        let (flows, lookups) = (duplicate(&self.flows)?, duplicate(&self.lookups)?);
        // SAFETY: the object declares both maps as hashes with these types.
        let (flows, lookups) = unsafe { (Table::new(flows), Table::new(lookups)) };
        Ok(Tables { flows, lookups })
    }

    /// The stream of refusals, once.
    ///
    /// # Panics
    /// Outside a tokio runtime with I/O enabled: the stream is watched by the runtime it is made in.
    ///
    /// # Errors
    /// When it was handed out before, or the ring cannot be mapped.
    pub fn events(&self) -> Result<Events, KernelError> {
        let taken = self
            .events
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let map = taken.ok_or(KernelError::EventsTaken)?;
        Events::new(ring(map)?, duplicate(&self.lost)?)
    }

    /// Takes the programs off all cgroups and removes every pin.
    ///
    /// # Errors
    /// When a pin cannot be removed.
    pub fn release(self) -> Result<(), KernelError> {
        self.pins.release()
    }
}

/// Removes new links beside a predecessor's, which stay.
fn take_back(made: &[PathBuf]) {
    for pin in made.iter().rev() {
        if let Err(error) = link::unpin(pin) {
            tracing::error!(pin = %pin.display(), error = %error, "a half-attached program was left behind");
        }
    }
}

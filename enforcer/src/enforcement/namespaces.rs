//! The network namespaces that enforced workloads live in: listeners are open in each, and the wires of those that are a
//! workload's own are sealed.

use std::collections::{HashMap, HashSet};
use std::os::unix::fs::MetadataExt as _;

use anyhow::Context as _;
use enforcer_flow::{CgroupId, NetnsCookie, Stance};
use enforcer_identity::Cgroup;
use enforcer_kernel::{KernelError, Loopback, Netns, Seal};
use enforcer_proxy::Site;

use super::Tools;
use super::strangers::Strangers;

/// All that are served.
pub(super) struct Namespaces {
    host: NetnsCookie,
    served: HashMap<NetnsCookie, Served>,
    /// The served ones by the inode that `/proc/PID/ns/net` leads to, which is nobody else's while they are held.
    inodes: HashMap<u64, NetnsCookie>,
    sealing: Sealing,
}

/// Whether wires can be sealed at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sealing {
    Possible,
    /// This kernel cannot.
    Impossible,
}

/// One namespace. Fields are dropped in this order.
struct Served {
    seal: Option<Seal>,
    /// Whether it was said that it is not the workload's own.
    shared: bool,
    inode: u64,
    _site: Site,
    netns: Netns,
}

impl Namespaces {
    pub(super) fn new(host: NetnsCookie) -> Self {
        Self {
            host,
            served: HashMap::new(),
            inodes: HashMap::new(),
            sealing: Sealing::Possible,
        }
    }

    /// Opens listeners in a namespace, unless they are open.
    pub(super) fn serve(&mut self, tools: &Tools, netns: &Netns) -> anyhow::Result<()> {
        let cookie = netns.cookie();
        if self.served.contains_key(&cookie) {
            return Ok(());
        }
        // What listens on the loopback of a namespace of the agent's own is the agent's; on the host it is a way out.
        let loopback = if cookie == self.host {
            Loopback::Redirect
        } else {
            Loopback::Exempt
        };
        let netns = netns.try_clone()?;
        let listeners = netns.listen()?;
        let ports = listeners.ports(loopback)?;
        let site = Site::open(cookie, listeners, &tools.proxy, &tools.workers)
            .context("the listeners of a network namespace cannot be served")?;
        tools.programs.serve(cookie, ports)?;
        let inode = rustix::fs::fstat(&netns)
            .context("a network namespace cannot be looked at")?
            .st_ino;
        self.inodes.insert(inode, cookie);
        let served = Served {
            seal: None,
            shared: false,
            inode,
            _site: site,
            netns,
        };
        self.served.insert(cookie, served);
        Ok(())
    }

    /// Serves every namespace that a process of the cgroup lives in. Processes come and go while we look; one that we
    /// miss finds no listener and is refused by the kernel until the next look.
    pub(super) fn serve_processes_of(
        &mut self,
        tools: &Tools,
        cgroup: &Cgroup,
    ) -> HashSet<NetnsCookie> {
        let mut seen = HashSet::new();
        for pid in cgroup.processes().unwrap_or_default() {
            let inode = std::fs::metadata(format!("/proc/{pid}/ns/net")).map(|about| about.ino());
            if let Ok(inode) = inode
                && let Some(cookie) = self.inodes.get(&inode)
            {
                seen.insert(*cookie);
                continue;
            }
            let Ok(netns) = Netns::of_process(pid) else {
                continue;
            };
            if !seen.insert(netns.cookie()) {
                continue;
            }
            if let Err(error) = self.serve(tools, &netns) {
                tracing::warn!(%error, pid, workload.cgroup = %cgroup.path(), "a network namespace cannot be served; its connections are refused");
            }
        }
        seen
    }

    /// Serves what the processes of these cgroups live in, seals what is theirs alone, and leaves all else.
    pub(super) fn follow(&mut self, tools: &Tools, cgroups: &[Cgroup]) {
        let mut lived_in = HashMap::new();
        for cgroup in cgroups {
            for cookie in self.serve_processes_of(tools, cgroup) {
                lived_in.entry(cookie).or_insert(cgroup.id());
            }
        }
        self.leave_all_but(tools, &lived_in);
        self.seal(tools, cgroups, &lived_in);
    }

    /// Seals what one cgroup's processes live in; at once, because it is about to start.
    pub(super) fn seal_for(&mut self, tools: &Tools, cgroup: &Cgroup, all: &[Cgroup]) {
        let cookies = self.serve_processes_of(tools, cgroup).into_iter();
        let lived_in = cookies.map(|cookie| (cookie, cgroup.id())).collect();
        self.seal(tools, all, &lived_in);
    }

    /// Closes all listeners, in the kernel's table first: what is enforced is refused from then on. Seals stay.
    pub(super) fn leave(&mut self, tools: &Tools) {
        for (cookie, served) in self.served.drain() {
            if let Err(error) = tools.programs.unserve(cookie) {
                tracing::error!(%error, netns = %cookie, "the kernel could not be told that a namespace is left");
            }
            drop(served);
        }
        self.inodes.clear();
    }

    fn leave_all_but(&mut self, tools: &Tools, lived_in: &HashMap<NetnsCookie, CgroupId>) {
        let is_left = |cookie: &NetnsCookie| *cookie != self.host && !lived_in.contains_key(cookie);
        let left: Vec<NetnsCookie> = self.served.keys().copied().filter(is_left).collect();
        for cookie in left {
            if let Err(error) = tools.programs.unserve(cookie) {
                tracing::warn!(%error, netns = %cookie, "the kernel could not be told that a namespace is left");
                continue;
            }
            if let Some(served) = self.served.remove(&cookie) {
                self.inodes.remove(&served.inode);
            }
        }
        // A predecessor's among them.
        let sealed = tools.programs.sealed().into_iter();
        for cookie in sealed.filter(|cookie| !lived_in.contains_key(cookie)) {
            if let Err(error) = tools.programs.unseal(cookie) {
                tracing::warn!(%error, netns = %cookie, "the wires of a namespace that was left could not be unsealed");
            }
        }
    }

    fn seal(
        &mut self,
        tools: &Tools,
        cgroups: &[Cgroup],
        lived_in: &HashMap<NetnsCookie, CgroupId>,
    ) {
        if self.sealing == Sealing::Impossible {
            return;
        }
        let mut strangers = Strangers::among(cgroups);
        for (cookie, workload) in lived_in {
            if *cookie == self.host {
                continue;
            }
            let Some(served) = self.served.get_mut(cookie) else {
                continue;
            };
            if served.is_observed(tools, *cookie, *workload) {
                continue;
            }
            match served.seal(tools, *workload, &mut strangers) {
                Ok(()) => {}
                Err(KernelError::Tcx) => {
                    tracing::warn!(error = %KernelError::Tcx, "wires of containers are not sealed: packet sockets are stopped by dropped capabilities alone");
                    self.sealing = Sealing::Impossible;
                    return;
                }
                Err(error) => {
                    tracing::error!(%error, netns = %cookie, "the wires of a workload could not be sealed");
                }
            }
        }
    }
}

impl Served {
    /// Nothing of an observed workload is blocked: its wires are open, and opened where they were sealed.
    fn is_observed(&mut self, tools: &Tools, cookie: NetnsCookie, workload: CgroupId) -> bool {
        let found = tools.workloads.find(workload);
        if !found.is_some_and(|workload| workload.stance == Stance::Observe) {
            return false;
        }
        if self.seal.take().is_some()
            && let Err(error) = tools.programs.unseal(cookie)
        {
            tracing::warn!(%error, netns = %cookie, "the wires of a workload that is only observed could not be opened");
        }
        true
    }

    fn seal(
        &mut self,
        tools: &Tools,
        workload: CgroupId,
        strangers: &mut Strangers,
    ) -> Result<(), KernelError> {
        if let Some(seal) = &mut self.seal {
            return seal.follow(&tools.programs, &self.netns);
        }
        // What somebody else lives in too is not ours to cut off.
        if strangers.live_in(self.inode) {
            if !self.shared {
                tracing::info!(netns = %self.netns.cookie(), cgroup.id = %workload, "a workload shares its network namespace with others: its wires are not sealed");
                self.shared = true;
            }
            return Ok(());
        }
        let seal = tools.programs.seal(&self.netns, workload)?;
        let sealed = seal.sealed();
        if sealed.own > 0 {
            tracing::warn!(netns = %self.netns.cookie(), cgroup.id = %workload, devices = sealed.own, "a workload has devices without a far side in reach: they are sealed on its own side, which packet sockets may get round");
        }
        self.seal = Some(seal);
        Ok(())
    }
}

//! Which cgroups are under enforcement: hooks attached, workload registered, listeners open where its processes live.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use anyhow::Context;
use enforcer_audit::{Entry, Ledger};
use enforcer_dns::Resolver;
use enforcer_flow::{CgroupId, NetnsCookie, Workload};
use enforcer_gate::{Gate, Quota};
use enforcer_identity::{Cgroup, Label, Workloads};
use enforcer_kernel::{Loopback, Netns, Programs};
use enforcer_proxy::{Proxy, Site, Workers};

/// Brings cgroups under enforcement and releases them. Dropping it closes the listeners and leaves the hooks in place.
pub(crate) struct Enforcement {
    tools: Tools,
    host: NetnsCookie,
    sites: HashMap<NetnsCookie, Site>,
    enforced: HashMap<CgroupId, Enforced>,
}

/// What it takes.
pub(crate) struct Tools {
    pub programs: Arc<Programs>,
    pub workloads: Arc<Workloads>,
    pub resolver: Arc<Resolver>,
    pub flows: Arc<Quota>,
    pub gate: Arc<Gate>,
    pub ledger: Arc<Ledger>,
    pub proxy: Arc<Proxy>,
    pub workers: Arc<Workers>,
}

struct Enforced {
    cgroup: Cgroup,
    label: Label,
}

impl Enforcement {
    /// Nothing is enforced yet, but the enforcer's own network namespace is served.
    ///
    /// # Errors
    /// When the namespace cannot be served.
    pub(crate) fn start(tools: Tools) -> anyhow::Result<Self> {
        let own = Netns::current()?;
        let mut this = Self {
            tools,
            host: own.cookie(),
            sites: HashMap::new(),
            enforced: HashMap::new(),
        };
        this.serve(&own)?;
        Ok(this)
    }

    /// Opens listeners in a namespace, unless they are open.
    ///
    /// # Errors
    /// When they cannot be opened or the kernel cannot be told.
    pub(crate) fn serve(&mut self, netns: &Netns) -> anyhow::Result<()> {
        let cookie = netns.cookie();
        if self.sites.contains_key(&cookie) {
            return Ok(());
        }
        // What listens on the loopback of a namespace of the agent's own is the agent's; on the host it is a way out.
        let loopback = if cookie == self.host {
            Loopback::Redirect
        } else {
            Loopback::Exempt
        };
        let listeners = netns.listen()?;
        let ports = listeners.ports(loopback)?;
        let site = Site::open(cookie, listeners, &self.tools.proxy, &self.tools.workers)
            .context("the listeners of a network namespace cannot be served")?;
        self.tools.programs.serve(cookie, ports)?;
        self.sites.insert(cookie, site);
        Ok(())
    }

    /// Puts a cgroup under enforcement; again for one that is under it already does nothing, unless its label changed.
    ///
    /// # Errors
    /// When the hooks cannot be attached or there are too many workloads.
    pub(crate) fn enforce(
        &mut self,
        cgroup: &Cgroup,
        label: &Label,
        how: &str,
    ) -> anyhow::Result<Arc<Workload>> {
        if let Some(enforced) = self.enforced.get(&cgroup.id())
            && enforced.label == *label
            && let Some(workload) = self.tools.workloads.find(cgroup.id())
        {
            return Ok(workload);
        }
        // Registered first: from the moment the hooks are in force, connections must find their workload.
        let workload = self.tools.workloads.insert(cgroup, label)?;
        // What another label let through does not outlive it.
        self.end(cgroup.id(), "relabelled");
        self.serve_processes_of(cgroup);
        if let Err(error) = self.tools.programs.attach(cgroup.dir(), cgroup.id()) {
            self.tools.workloads.remove(cgroup.id());
            return Err(error).with_context(|| format!("`{}` cannot be enforced", cgroup.path()));
        }
        let enforced = Enforced {
            cgroup: cgroup.clone(),
            label: label.clone(),
        };
        self.enforced.insert(cgroup.id(), enforced);
        tracing::info!(workload.id = %workload.name, cgroup = %cgroup.path(), how, "a workload was put under enforcement");
        self.tools.ledger.defer(&Entry::WorkloadAttached {
            workload: &workload,
            how,
        });
        Ok(workload)
    }

    /// Makes what is enforced be what is labelled, and serves the namespaces that its processes live in. Returns what
    /// could not be done. With `may_release` false, nothing is released: what is labelled may not be known in full.
    pub(crate) fn follow(
        &mut self,
        labelled: &[(Cgroup, Label)],
        may_release: bool,
    ) -> Vec<(Cgroup, String)> {
        let wanted: HashSet<CgroupId> = labelled.iter().map(|(cgroup, _)| cgroup.id()).collect();
        let attached = self.tools.programs.attached().into_iter();
        let unwanted: Vec<CgroupId> = attached
            .chain(self.enforced.keys().copied())
            .filter(|id| may_release && !wanted.contains(id))
            .collect();
        for id in unwanted {
            if let Err(error) = self.release(id) {
                tracing::error!(%error, cgroup.id = %id, "a workload could not be released");
            }
        }
        let problems = labelled
            .iter()
            .filter_map(|(cgroup, label)| {
                let error = self.enforce(cgroup, label, "label").err()?;
                Some((cgroup.clone(), format!("{error:#}")))
            })
            .collect();
        self.follow_namespaces();
        problems
    }

    /// Releases a cgroup from enforcement.
    ///
    /// # Errors
    /// When the hooks cannot be detached.
    pub(crate) fn release(&mut self, id: CgroupId) -> anyhow::Result<()> {
        self.tools.programs.detach(id)?;
        let exists = self
            .enforced
            .remove(&id)
            .is_some_and(|enforced| enforced.cgroup.exists());
        if let Some(workload) = self.tools.workloads.remove(id) {
            let reason = if exists { "unlabelled" } else { "gone" };
            tracing::info!(workload.id = %workload.name, reason, "a workload was released");
            self.tools.ledger.defer(&Entry::WorkloadDetached {
                workload: &workload,
                reason,
            });
        }
        self.end(id, "released");
        self.tools.resolver.forget(id);
        self.tools.flows.forget(id);
        Ok(())
    }

    /// Ends what a workload has open, as of what it was until now. Its register must have changed before.
    fn end(&self, id: CgroupId, cause: &'static str) {
        let flows = self.tools.gate.end(id, cause);
        if flows > 0 {
            tracing::info!(cgroup.id = %id, flows, cause, "the open flows of a workload were ended");
        }
    }

    /// Closes all listeners, in the kernel's table first: what is enforced is refused from then on.
    pub(crate) fn leave(&mut self) {
        for (cookie, site) in self.sites.drain() {
            if let Err(error) = self.tools.programs.unserve(cookie) {
                tracing::error!(%error, netns = %cookie, "the kernel could not be told that a namespace is left");
            }
            drop(site);
        }
    }

    /// Opens listeners where processes of enforced cgroups have moved to, and closes those nobody lives near any more.
    fn follow_namespaces(&mut self) {
        let cgroups: Vec<Cgroup> = self
            .enforced
            .values()
            .map(|enforced| enforced.cgroup.clone())
            .collect();
        let mut lived_in = HashSet::from([self.host]);
        for cgroup in &cgroups {
            lived_in.extend(self.serve_processes_of(cgroup));
        }
        let left: Vec<NetnsCookie> = self
            .sites
            .keys()
            .filter(|cookie| !lived_in.contains(cookie))
            .copied()
            .collect();
        for cookie in left {
            if let Err(error) = self.tools.programs.unserve(cookie) {
                tracing::warn!(%error, netns = %cookie, "the kernel could not be told that a namespace is left");
                continue;
            }
            self.sites.remove(&cookie);
        }
    }

    /// Serves every namespace that a process of the cgroup lives in. Processes come and go while we look; one that we
    /// miss finds no listener and is refused by the kernel until the next look.
    fn serve_processes_of(&mut self, cgroup: &Cgroup) -> HashSet<NetnsCookie> {
        let mut seen = HashSet::new();
        for pid in cgroup.processes().unwrap_or_default() {
            let Ok(netns) = Netns::of_process(pid) else {
                continue;
            };
            if !seen.insert(netns.cookie()) {
                continue;
            }
            if let Err(error) = self.serve(&netns) {
                tracing::warn!(%error, pid, workload.cgroup = %cgroup.path(), "a network namespace cannot be served; its connections are refused");
            }
        }
        seen
    }
}

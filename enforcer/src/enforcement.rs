//! Which cgroups are under enforcement: hooks attached, workload registered, listeners open where its processes live.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use anyhow::Context;
use enforcer_audit::{Entry, Ledger};
use enforcer_dns::Resolver;
use enforcer_flow::{CgroupId, NetnsCookie, Stance, Workload};
use enforcer_gate::{Gate, Quota};
use enforcer_identity::{Cgroup, Label, Provenance, Scan, Workloads};
use enforcer_kernel::{Netns, Programs};
use enforcer_proxy::{Proxy, Workers};

use crate::foreign::Foreign;
use crate::quarantine::Order;
use crate::stances::Stances;
use crate::trust::Trust;
use crate::unix_sockets::UnixRefusals;

mod namespaces;
mod strangers;
mod watch;

use namespaces::Namespaces;
pub(crate) use watch::Watchdog;

/// The way in of what bears a label on its cgroup; which hand put it there is kept beside it.
pub(crate) const LABEL: &str = "label";

/// Brings cgroups under enforcement and releases them. Dropping it closes the listeners and leaves the hooks in place.
pub(crate) struct Enforcement {
    tools: Tools,
    host: NetnsCookie,
    namespaces: Namespaces,
    enforced: HashMap<CgroupId, Enforced>,
    /// Flows that were ended, ever.
    ended: u64,
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
    pub stances: Arc<Stances>,
    pub unix: UnixRefusals,
    /// None where the one workload is told by its environment what to believe.
    pub trust: Option<Arc<Trust>>,
    /// What came of the programs for the kernel's security modules.
    pub lsm: Arc<str>,
}

struct Enforced {
    cgroup: Cgroup,
    /// As it is on the cgroup.
    asked: Label,
    /// As it is honoured, with the stance that holds.
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
            namespaces: Namespaces::new(own.cookie()),
            enforced: HashMap::new(),
            ended: 0,
        };
        this.serve(&own)?;
        this.tools.unix.tell(&this.tools.programs);
        Ok(this)
    }

    /// Opens listeners in a namespace, unless they are open.
    ///
    /// # Errors
    /// When they cannot be opened or the kernel cannot be told.
    pub(crate) fn serve(&mut self, netns: &Netns) -> anyhow::Result<()> {
        self.namespaces.serve(&self.tools, netns)
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
        let asked = label;
        let label = &self.settle(cgroup, asked)?;
        if let Some(enforced) = self.enforced.get(&cgroup.id())
            && enforced.label == *label
            && let Some(workload) = self.tools.workloads.find(cgroup.id())
        {
            return Ok(workload);
        }
        self.loosen_loudly(cgroup, label)?;
        // Registered first: from the moment the hooks are in force, connections must find their workload.
        let Provenance { via, attributes } = cgroup.provenance();
        let via = if how == LABEL { via.as_str() } else { how };
        let workload = self.tools.workloads.insert(cgroup, label, &attributes)?;
        // The kernel's stance before the flows: none opens in between. What another label let through does not outlive it.
        let programs = &self.tools.programs;
        let unix = self.tools.unix.of(label.policy().map(AsRef::as_ref));
        let taken = programs
            .take_stance(cgroup.id(), label.stance())
            .and_then(|()| programs.treat_unix_sockets(cgroup.id(), unix));
        self.end(cgroup.id(), cause_of(label.stance()));
        self.namespaces.serve_processes_of(&self.tools, cgroup);
        let adopted = self.tools.programs.attached().contains(&cgroup.id());
        let programs = &self.tools.programs;
        // Unix sockets once more: what tells one from another hangs there only now.
        let attached = taken
            .and_then(|()| programs.attach(cgroup.dir(), cgroup.id()))
            .and_then(|()| programs.treat_unix_sockets(cgroup.id(), unix));
        if let Err(error) = attached {
            self.tools.workloads.remove(cgroup.id());
            return Err(error).with_context(|| format!("`{}` cannot be enforced", cgroup.path()));
        }
        let enforced = Enforced {
            cgroup: cgroup.clone(),
            asked: asked.clone(),
            label: label.clone(),
        };
        self.enforced.insert(cgroup.id(), enforced);
        let all = self.cgroups();
        self.namespaces.seal_for(&self.tools, cgroup, &all);
        tracing::info!(workload.id = %workload.name, cgroup = %cgroup.path(), via, "a workload was put under enforcement");
        self.tools.ledger.defer(&Entry::WorkloadAttached {
            workload: &workload,
            via,
        });
        self.tell_left_out(cgroup, &workload);
        if !adopted {
            // After the programs, so that nothing is connected anew in between.
            let foreign = Foreign {
                ledger: &self.tools.ledger,
                host: self.host,
            };
            foreign.end(&workload, cgroup);
        }
        Ok(workload)
    }

    /// The label with the stance that holds. A quarantine that the kernel knows of and we do not was ordered before us: the
    /// order is lost, so it is given anew.
    fn settle(&self, cgroup: &Cgroup, label: &Label) -> anyhow::Result<Label> {
        let settled = self.tools.stances.settle(cgroup.path(), label);
        if settled.stance() == Stance::Quarantine || self.enforced.contains_key(&cgroup.id()) {
            return Ok(settled);
        }
        if self.tools.programs.stance(cgroup.id())? != Some(Stance::Quarantine) {
            return Ok(settled);
        }
        tracing::warn!(cgroup = %cgroup.path(), "a workload is in quarantine and nobody knows who ordered it; it stays there until it is lifted");
        let order = Order::Cgroup(cgroup.path().to_string());
        self.tools.stances.orders().add(&order).1?;
        Ok(self.tools.stances.settle(cgroup.path(), label))
    }

    /// Says in the ledger, before anything gets loose, that a workload is only observed.
    fn loosen_loudly(&self, cgroup: &Cgroup, label: &Label) -> anyhow::Result<()> {
        match label.stance() {
            Stance::Enforce | Stance::Quarantine => Ok(()),
            Stance::Observe => {
                let path = cgroup.path();
                let what = format!("`{path}` is only observed: what no rule allows is let through");
                tracing::warn!(cgroup = %path, "a workload is only observed: nothing of it is blocked");
                self.tools.ledger.append(&Entry::Danger { what: &what })?;
                Ok(())
            }
        }
    }

    /// Has every workload take the stance that holds now. Returns how many flows were ended, and what could not be done.
    pub(crate) fn resettle(&mut self, how: &str) -> (u64, Vec<String>) {
        let before = self.ended;
        let all: Vec<(Cgroup, Label)> = self
            .enforced
            .values()
            .map(|enforced| (enforced.cgroup.clone(), enforced.asked.clone()))
            .collect();
        let problems = all
            .iter()
            .filter_map(|(cgroup, label)| self.enforce(cgroup, label, how).err())
            .map(|error| format!("{error:#}"))
            .collect();
        (self.ended - before, problems)
    }

    /// Makes what is enforced be what is labelled, and serves the namespaces that its processes live in. Returns what
    /// could not be done. With `may_release` false, nothing is released: what is labelled may not be known in full.
    pub(crate) fn follow(&mut self, scan: &Scan, may_release: bool) -> Vec<(Cgroup, String)> {
        let labelled = || {
            let matched = scan.matched.iter().map(|found| (found, "pattern"));
            let labelled = scan.labelled.iter().map(|found| (found, LABEL));
            labelled.chain(matched)
        };
        let wanted: HashSet<CgroupId> = labelled().map(|((cgroup, _), _)| cgroup.id()).collect();
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
        let problems = labelled()
            .filter_map(|((cgroup, label), how)| {
                let error = self.enforce(cgroup, label, how).err()?;
                Some((cgroup.clone(), format!("{error:#}")))
            })
            .collect();
        self.follow_namespaces();
        self.follow_trust();
        problems
    }

    /// Releases a cgroup from enforcement.
    ///
    /// # Errors
    /// When the hooks cannot be detached.
    pub(crate) fn release(&mut self, id: CgroupId) -> anyhow::Result<()> {
        self.tools.programs.detach(id)?;
        let enforced = self.enforced.remove(&id);
        let exists = enforced.as_ref().is_some_and(|one| one.cgroup.exists());
        let pids = enforced.and_then(|one| one.cgroup.processes().ok());
        let pids = pids.unwrap_or_default();
        if let Some(workload) = self.tools.workloads.remove(id) {
            let reason = if exists { "unlabelled" } else { "gone" };
            tracing::info!(workload.id = %workload.name, reason, "a workload was released");
            self.tools.ledger.defer(&Entry::WorkloadDetached {
                workload: &workload,
                reason,
            });
        }
        self.end(id, "released");
        self.tools.gate.forget(id);
        self.tools.resolver.forget(id);
        self.tools.flows.forget(id);
        if let Some(trust) = &self.tools.trust {
            trust.release(id, pids);
        }
        Ok(())
    }

    /// Ends what a workload has open, as of what it was until now. Its register must have changed before.
    fn end(&mut self, id: CgroupId, cause: &'static str) {
        let flows = self.tools.gate.end(id, cause);
        self.ended += flows as u64;
        if flows > 0 {
            tracing::info!(cgroup.id = %id, flows, cause, "the open flows of a workload were ended");
        }
    }

    /// Closes all listeners, in the kernel's table first: what is enforced is refused from then on.
    pub(crate) fn leave(&mut self) {
        self.namespaces.leave(&self.tools);
    }

    /// Has what processes of enforced cgroups live in served and sealed, and all else left.
    pub(crate) fn follow_namespaces(&mut self) {
        let cgroups = self.cgroups();
        self.namespaces.follow(&self.tools, &cgroups);
    }

    fn cgroups(&self) -> Vec<Cgroup> {
        let enforced = self.enforced.values();
        enforced.map(|enforced| enforced.cgroup.clone()).collect()
    }

    /// Has the containers of all workloads believe us.
    fn follow_trust(&self) {
        let Some(trust) = &self.tools.trust else {
            return;
        };
        let living = self.enforced.values().filter_map(|enforced| {
            let workload = self.tools.workloads.find(enforced.cgroup.id())?;
            Some((workload, enforced.cgroup.processes().unwrap_or_default()))
        });
        trust.follow(&living.collect::<Vec<_>>());
    }
}

/// Why flows end when a workload takes this stance.
fn cause_of(stance: Stance) -> &'static str {
    match stance {
        Stance::Enforce | Stance::Observe => "relabelled",
        Stance::Quarantine => "quarantined",
    }
}

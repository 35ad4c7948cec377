//! Looks after the programs in turn, mends what is wrong, and says so.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;

use enforcer_audit::{Entry, HookFault};
use enforcer_control::WatchdogView;
use enforcer_flow::{CgroupId, Workload};
use enforcer_identity::Cgroup;
use enforcer_kernel::Fault;

use super::Enforcement;
use crate::lsm::INSTEAD;

/// Workloads that are looked at in one go; a machine with more is looked through in several.
const AT_ONCE: usize = 64;

/// What looking after the programs came to.
#[derive(Debug, Default)]
pub(crate) struct Watchdog {
    looked: Option<Instant>,
    /// Where the next look begins.
    next: usize,
    programs: u64,
    /// What came of those for the kernel's security modules.
    lsm: Arc<str>,
    mended: u64,
    /// Faults that could not be mended, and were said already.
    standing: HashSet<(CgroupId, Fault)>,
    problems: Vec<(CgroupId, String)>,
}

// === impl Watchdog ===

impl Watchdog {
    /// For operators; none before the first look.
    pub(crate) fn view(&self) -> Option<WatchdogView> {
        let looked = self.looked?;
        Some(WatchdogView {
            seconds_ago: looked.elapsed().as_secs(),
            programs: self.programs,
            lsm: self.lsm.to_string(),
            mended: self.mended,
            problems: self
                .problems
                .iter()
                .map(|(_, problem)| problem.clone())
                .collect(),
        })
    }

    /// How many faults stand.
    pub(crate) fn standing(&self) -> usize {
        self.problems.len()
    }
}

// === impl Enforcement ===

impl Enforcement {
    /// Looks at the programs of some workloads, the next ones in turn, and mends what is wrong.
    pub(crate) fn look_after(&self, watchdog: &mut Watchdog) {
        self.tools.unix.tell(&self.tools.programs);
        let mut all = self.cgroups();
        all.sort_by_key(|cgroup| cgroup.id().0);
        watchdog.forget_all_but(&all);
        let begin = if watchdog.next < all.len() {
            watchdog.next
        } else {
            0
        };
        let some: Vec<&Cgroup> = all.iter().skip(begin).take(AT_ONCE).collect();
        for cgroup in &some {
            self.look_at(cgroup, watchdog);
        }
        watchdog.next = begin + some.len();
        watchdog.programs = (all.len() * self.tools.programs.count()) as u64;
        watchdog.lsm = Arc::clone(&self.tools.lsm);
        watchdog.looked = Some(Instant::now());
    }

    /// Says which programs a workload does without from the start, rather than with the next look.
    pub(super) fn tell_left_out(&self, cgroup: &Cgroup, workload: &Workload) {
        for Fault { hook, kind } in self.tools.programs.left_out(cgroup.id()) {
            tracing::warn!(cgroup = %cgroup.path(), hook, "a program could not be attached, and the workload does without; {INSTEAD}");
            self.tools.ledger.defer(&Entry::HookFault(HookFault {
                workload: Some(workload),
                cgroup: cgroup.id(),
                hook,
                cause: kind.as_str(),
                problem: Some(&format_args!("it could not be attached; {INSTEAD}")),
            }));
        }
    }

    fn look_at(&self, cgroup: &Cgroup, watchdog: &mut Watchdog) {
        let id = cgroup.id();
        let programs = &self.tools.programs;
        let faults = match programs.verify(cgroup.dir(), id) {
            Ok(faults) => faults,
            // It went away since; the next look at the labels releases it.
            Err(_) if !cgroup.exists() => return,
            Err(error) => {
                tracing::error!(%error, cgroup = %cgroup.path(), "the programs of a workload could not be looked at");
                return;
            }
        };
        watchdog.problems.retain(|(of, _)| *of != id);
        if faults.is_empty() {
            watchdog.standing.retain(|(of, _)| *of != id);
            return;
        }
        let mended = self.mend(cgroup, &faults);
        for fault in faults {
            self.report(cgroup, fault, mended.as_ref().err(), watchdog);
        }
    }

    fn mend(&self, cgroup: &Cgroup, faults: &[Fault]) -> anyhow::Result<()> {
        let programs = &self.tools.programs;
        // The entry may be gone with everything that was in it.
        if let Some(workload) = self.tools.workloads.find(cgroup.id()) {
            programs.take_stance(cgroup.id(), workload.stance)?;
        }
        let mended = programs.mend(cgroup.dir(), cgroup.id(), faults);
        // Whether one unix socket is told from another may have changed.
        if let Some(workload) = self.tools.workloads.find(cgroup.id()) {
            let unix = self.tools.unix.of(workload.policy.as_deref());
            programs.treat_unix_sockets(cgroup.id(), unix)?;
        }
        mended?;
        let left = programs.verify(cgroup.dir(), cgroup.id())?;
        anyhow::ensure!(
            left.is_empty(),
            "still wrong after it was put back: {left:?}"
        );
        Ok(())
    }

    fn report(
        &self,
        cgroup: &Cgroup,
        fault: Fault,
        problem: Option<&anyhow::Error>,
        watchdog: &mut Watchdog,
    ) {
        let id = cgroup.id();
        let text = problem.map(|problem| format!("{problem:#}"));
        match &text {
            None => {
                watchdog.mended += 1;
                watchdog.standing.remove(&(id, fault.clone()));
                tracing::warn!(cgroup = %cgroup.path(), hook = fault.hook, fault = %fault.kind, "a program was not in place; it is again");
            }
            Some(text) => {
                let line = format!(
                    "{} of {} is {}: {text}",
                    fault.hook,
                    cgroup.path(),
                    fault.kind
                );
                watchdog.problems.push((id, line));
                if !watchdog.standing.insert((id, fault.clone())) {
                    return;
                }
                tracing::error!(cgroup = %cgroup.path(), hook = fault.hook, fault = %fault.kind, problem = %text, "A PROGRAM IS NOT IN PLACE, and cannot be put back");
            }
        }
        let workload = self.tools.workloads.find(id);
        self.tools.ledger.defer(&Entry::HookFault(HookFault {
            workload: workload.as_deref(),
            cgroup: id,
            hook: fault.hook,
            cause: fault.kind.as_str(),
            problem: text.as_ref().map(|text| text as &dyn std::fmt::Display),
        }));
    }
}

impl Watchdog {
    fn forget_all_but(&mut self, all: &[Cgroup]) {
        let known: HashSet<CgroupId> = all.iter().map(Cgroup::id).collect();
        self.standing.retain(|(of, _)| known.contains(of));
        self.problems.retain(|(of, _)| known.contains(of));
    }
}

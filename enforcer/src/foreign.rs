//! Connections that a workload had before it was one: ended and recorded as its enforcement begins.
//!
//! The backstop lets none of them send any more; destroyed, their owners learn it at once.

use std::collections::HashSet;

use enforcer_audit::{Entry, KernelRefused, Ledger, Suppressed};
use enforcer_flow::{NetnsCookie, Process, Stance, Workload};
use enforcer_identity::Cgroup;
use enforcer_kernel::sockets::{self, Connected};
use enforcer_kernel::{Loopback, Netns};

/// The hook that the ledger names.
const HOOK: &str = "sock_destroy";
/// Why: it was connected before the programs were there.
const CAUSE: &str = "from_before";
/// Lines for one workload; what is beyond is counted.
const LINES: usize = 1024;

/// Who writes, and which namespace is shared with the host.
pub(crate) struct Foreign<'a> {
    pub(crate) ledger: &'a Ledger,
    pub(crate) host: NetnsCookie,
}

impl Foreign<'_> {
    /// Ends them in every namespace that the workload's processes live in. What cannot be ended is the backstop's.
    pub(crate) fn end(&self, workload: &Workload, cgroup: &Cgroup) {
        let mut seen = HashSet::new();
        for pid in cgroup.processes().unwrap_or_default() {
            let Ok(netns) = Netns::of_process(pid) else {
                continue;
            };
            if !seen.insert(netns.cookie()) {
                continue;
            }
            if let Err(error) = self.end_in(&netns, workload, cgroup) {
                tracing::warn!(%error, workload.id = %workload.name, netns = %netns.cookie(), "connections from before could not be ended; what they send is dropped");
            }
        }
    }

    fn end_in(&self, netns: &Netns, workload: &Workload, cgroup: &Cgroup) -> anyhow::Result<()> {
        let loopback = if netns.cookie() == self.host {
            Loopback::Redirect
        } else {
            Loopback::Exempt
        };
        let found = sockets::connected(netns, cgroup.dir(), loopback)?;
        for socket in found.iter().take(LINES) {
            self.record(workload, socket);
        }
        if let Some(count @ 1..) = found.len().checked_sub(LINES) {
            self.ledger.defer(&Entry::Suppressed(Suppressed {
                workload: Some(workload),
                event: "kernel_refused",
                count: count as u64,
            }));
        }
        match workload.stance {
            // Nothing of it is blocked.
            Stance::Observe => {}
            Stance::Enforce | Stance::Quarantine => {
                sockets::destroy(netns, &found)?;
            }
        }
        Ok(())
    }

    fn record(&self, workload: &Workload, socket: &Connected) {
        // Sockets have no process of their own; who made it is all that is known.
        let process = Process {
            uid: socket.uid,
            ..Process::default()
        };
        let refused = KernelRefused {
            workload: Some(workload),
            cgroup: socket.cgroup,
            process: &process,
            hook: HOOK,
            cause: CAUSE,
            protocol: socket.transport.name(),
            dst: Some(socket.peer),
        };
        self.ledger.defer(&match workload.stance {
            Stance::Observe => Entry::KernelObserved(refused),
            Stance::Enforce | Stance::Quarantine => Entry::KernelRefused(refused),
        });
    }
}

//! The work on containers: what stands how, and who does it.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use enforcer_audit::{Entry, Ledger, SocketsHidden, TrustPlaced};
use enforcer_flow::{CgroupId, Workload};
use enforcer_kernel::{MountNamespace, MountNamespaceId};
use enforcer_tls::Authority;
use enforcer_tls::trust::{Anchors, Kind};

use super::Place;
use super::lay::{Laid, Laying, lay, lift};
use super::sockets::{Hidden, hide};
use super::stale::clean;

/// How long one container may take.
const PATIENCE: Duration = Duration::from_secs(12);
/// How long one that failed is left alone.
const RETRY: Duration = Duration::from_secs(60);
/// Mount namespaces that one workload is served in; a process may make new ones for as long as it likes.
const MAX_OF_ONE: usize = 32;
/// Threads that a container may keep waiting, all together.
const MAX_STUCK: usize = 8;

/// A mount namespace and a root in it: an engine makes the one before the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) namespace: MountNamespaceId,
    pub(super) root: u64,
}

#[derive(Debug)]
pub(super) struct Standing {
    pub(super) workload: CgroupId,
    pub(super) phase: Phase,
    /// The sockets of the host that show, and why; none once they are known to be hidden.
    pub(super) open: Option<String>,
}

#[derive(Debug)]
pub(super) enum Phase {
    Failed(Instant),
    Laid(Laid),
    Laying,
    /// What was laid says what is not so any more.
    Stale(Vec<(PathBuf, Kind)>),
}

pub(super) struct Shared {
    /// What workloads read that were pointed at it.
    pub(super) folder: PathBuf,
    /// What lies over the stores of containers.
    pub(super) covers: PathBuf,
    /// Sockets of the host that containers are left.
    pub(super) sockets: Vec<PathBuf>,
    pub(super) ledger: Arc<Ledger>,
    pub(super) authority: ArcSwap<Authority>,
    pub(super) anchors: ArcSwap<Anchors>,
    pub(super) own: MountNamespaceId,
    pub(super) standing: Mutex<HashMap<Key, Standing>>,
    /// Held for reading while copies are written and not yet listed, for writing while unused ones are removed.
    pub(super) writing: RwLock<()>,
    pub(super) stuck: AtomicUsize,
    /// Whether all that an enforcer before us left is known.
    pub(super) adopted: AtomicBool,
    /// How often all workloads were looked at.
    pub(super) looks: AtomicU64,
}

/// One container to be served.
pub(super) struct Task {
    pub(super) workload: Arc<Workload>,
    pub(super) place: Place,
    pub(super) key: Key,
    /// Stores that were found before; none to have them searched for.
    pub(super) known: Vec<(PathBuf, Kind)>,
}

pub(super) enum Job {
    Adopt,
    Lay(Task),
    Lift(Vec<u32>),
    Sweep,
}

// === impl Key ===

impl Key {
    pub(super) fn of(place: &Place) -> anyhow::Result<Self> {
        let container = MountNamespace::of_process(place.pid, place.root.as_deref())?;
        Ok(Self {
            namespace: container.id(),
            root: container.root_mount()?,
        })
    }
}

// === impl Shared ===

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, HashMap<Key, Standing>> {
        // Each entry stands for itself; none is ever half written.
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there is something to do, which nobody does already; with the stores that are known.
    pub(super) fn begin(&self, key: Key, workload: CgroupId) -> Option<Vec<(PathBuf, Kind)>> {
        let mut standing = self.lock();
        let of_one = standing.values().filter(|one| one.workload == workload);
        let full = of_one.count() >= MAX_OF_ONE;
        let known = match standing.get_mut(&key) {
            None if full => return None,
            None => Vec::new(),
            Some(one) => match &mut one.phase {
                Phase::Failed(at) if at.elapsed() < RETRY => return None,
                Phase::Laid(_) | Phase::Laying if one.workload == workload => return None,
                Phase::Failed(_) | Phase::Laid(_) | Phase::Laying => Vec::new(),
                Phase::Stale(known) => std::mem::take(known),
            },
        };
        let phase = Phase::Laying;
        let open = Some("it was not looked into".to_owned());
        let one = Standing {
            workload,
            phase,
            open,
        };
        standing.insert(key, one);
        Some(known)
    }

    /// Whether no socket of the host shows in a container.
    pub(super) fn is_closed(&self, key: Key) -> anyhow::Result<()> {
        let standing = self.lock();
        let open = standing.get(&key).map(|one| one.open.as_deref());
        match open.unwrap_or(Some("it was not looked into")) {
            None => Ok(()),
            Some(why) => Err(anyhow::anyhow!("{why}")),
        }
    }

    pub(super) fn serve(self: &Arc<Self>, waiting: &Receiver<Job>) {
        while let Ok(job) = waiting.recv() {
            match job {
                Job::Adopt => self.adopt(),
                Job::Lay(task) => self.lay(task),
                Job::Lift(pids) => {
                    for pid in pids {
                        self.lift(pid);
                    }
                    self.sweep();
                }
                Job::Sweep => self.sweep(),
            }
        }
    }

    pub(super) fn lay(self: &Arc<Self>, task: Task) {
        let Task {
            workload,
            place,
            key,
            known,
        } = task;
        let _writing = self.writing.read();
        let anchors = self.anchors.load_full();
        let (this, believed) = (Arc::clone(self), Arc::clone(&anchors));
        let entered = place.clone();
        let hidden = self.bounded({
            let this = Arc::clone(self);
            move || {
                let container = MountNamespace::of_process(entered.pid, entered.root.as_deref())?;
                hide(&this.covers, &this.sockets, &container)
            }
        });
        let open = self.record_sockets(&workload, &hidden);
        let done = self.bounded(move || {
            let container = MountNamespace::of_process(place.pid, place.root.as_deref())?;
            let laying = Laying {
                covers: &this.covers,
                anchors: &believed,
            };
            lay(laying, &container, &known)
        });
        match &done {
            Ok(laid) => self.record(&workload, laid),
            Err(error) => self.record_failure(&workload, error),
        }
        let mut standing = self.lock();
        let Some(standing) = standing.get_mut(&key) else {
            return;
        };
        standing.open = open;
        standing.phase = match done {
            // Another CA came meanwhile.
            Ok(laid) if anchors != self.anchors.load_full() => Phase::Stale(laid.known),
            Ok(laid) => Phase::Laid(laid),
            Err(_) => Phase::Failed(Instant::now()),
        };
    }

    /// Returns what still shows.
    fn record_sockets(
        &self,
        workload: &Workload,
        hidden: &anyhow::Result<Hidden>,
    ) -> Option<String> {
        let (sockets, open) = match hidden {
            Ok(Hidden { sockets, open }) => {
                let names = sockets.iter().map(|path| path.display().to_string());
                (names.collect::<Vec<_>>().join(" "), open.join("; "))
            }
            Err(error) => (String::new(), format!("{error:#}")),
        };
        let open = (!open.is_empty()).then_some(open);
        if !sockets.is_empty() || open.is_some() {
            tracing::info!(workload.id = %workload.name, sockets, open, "sockets of the host were hidden from a container");
            self.ledger.defer(&Entry::SocketsHidden(SocketsHidden {
                workload,
                sockets: &sockets,
                problem: open.as_ref().map(|open| open as &dyn std::fmt::Display),
            }));
        }
        open
    }

    fn record(&self, workload: &Workload, laid: &Laid) {
        let names = |paths: &[PathBuf]| {
            let names: Vec<_> = paths
                .iter()
                .map(|path| path.display().to_string())
                .collect();
            names.join(" ")
        };
        let place = format!("{} stores: {}", laid.stores.len(), names(&laid.stores));
        let problems = laid.problems.join("; ");
        tracing::info!(workload.id = %workload.name, stores = laid.stores.len(), problems, "trust was placed in a container");
        self.write(
            workload,
            &place,
            (!problems.is_empty()).then_some(&problems),
        );
    }

    fn record_failure(&self, workload: &Workload, error: &anyhow::Error) {
        let problem = format!("{error:#}");
        tracing::warn!(workload.id = %workload.name, problem, "trust could not be placed in a container; its programs may refuse our certificates");
        self.write(workload, "no stores", Some(&problem));
    }

    fn write(&self, workload: &Workload, place: &str, problem: Option<&String>) {
        self.ledger.defer(&Entry::TrustPlaced(TrustPlaced {
            workload: Some(workload),
            place: &place,
            authority: &self.authority.load().fingerprint().to_string(),
            problem: problem.map(|problem| problem as &dyn std::fmt::Display),
        }));
    }

    fn lift(self: &Arc<Self>, pid: u32) {
        if MountNamespaceId::of_process(pid).is_ok_and(|namespace| namespace == self.own) {
            return;
        }
        let this = Arc::clone(self);
        let lifted = self.bounded(move || {
            let container = MountNamespace::of_process(pid, None)?;
            lift(&this.covers, &container)
        });
        match lifted {
            Ok(0) => {}
            Ok(count) => tracing::info!(pid, count, "trust was taken out of a container"),
            // Most often its last process has just ended, and the mounts with it.
            Err(error) => tracing::debug!(%error, pid, "trust was not taken out of a container"),
        }
    }

    /// Takes away what an enforcer before us laid and nobody needs any more.
    fn adopt(self: &Arc<Self>) {
        if self.adopted.load(Ordering::Relaxed) {
            return;
        }
        let kept: Vec<MountNamespaceId> = self.lock().keys().map(|key| key.namespace).collect();
        let this = Arc::clone(self);
        if let Err(error) = self.bounded(move || clean(&this.covers, &kept)) {
            tracing::warn!(%error, "what was laid before could not be looked through");
        }
        self.adopted.store(true, Ordering::Relaxed);
        self.sweep();
    }

    /// Removes copies that lie over nothing.
    fn sweep(&self) {
        let Ok(_alone) = self.writing.try_write() else {
            return;
        };
        let standing = self.lock();
        if !self.adopted.load(Ordering::Relaxed)
            || standing
                .values()
                .any(|one| matches!(one.phase, Phase::Laying | Phase::Stale(_)))
        {
            return;
        }
        let used = |name: &str| {
            standing
                .values()
                .any(|one| matches!(&one.phase, Phase::Laid(laid) if laid.covers.contains(name)))
        };
        for entry in fs::read_dir(&self.covers).into_iter().flatten().flatten() {
            if !entry.file_name().to_str().is_some_and(used) {
                // It is made anew when it is needed.
                let _ = fs::remove_file(entry.path()).or_else(|_| fs::remove_dir_all(entry.path()));
            }
        }
    }

    /// Does what a container may never let come to an end, and gives up waiting.
    fn bounded<T: Send + 'static>(
        self: &Arc<Self>,
        task: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
    ) -> anyhow::Result<T> {
        anyhow::ensure!(
            self.stuck.load(Ordering::Relaxed) < MAX_STUCK,
            "too many containers do not let themselves be read"
        );
        let (sender, ended) = mpsc::sync_channel(1);
        let this = Arc::clone(self);
        this.stuck.fetch_add(1, Ordering::Relaxed);
        let spawned = thread::Builder::new()
            .name("trust-one".into())
            .spawn(move || {
                let done = task();
                this.stuck.fetch_sub(1, Ordering::Relaxed);
                let _ = sender.send(done);
            });
        if let Err(error) = spawned {
            self.stuck.fetch_sub(1, Ordering::Relaxed);
            return Err(error.into());
        }
        let late = || anyhow::anyhow!("not done within {PATIENCE:?}");
        ended.recv_timeout(PATIENCE).map_err(|_| late())?
    }
}

//! Trust in our CA, put where the programs of running workloads look for it.
//!
//! A workload that lives in a mount namespace of its own has its trust stores covered by copies that also hold our certificates.
//! What cannot be done is recorded and opens nothing: programs that do not believe us get no connection. The private key is
//! nowhere near; all that is handled here are certificates.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use anyhow::Context;
use arc_swap::ArcSwap;
use enforcer_audit::{Entry, Ledger, TrustPlaced};
use enforcer_flow::{CgroupId, Workload};
use enforcer_kernel::{MountNamespace, MountNamespaceId};
use enforcer_tls::Authority;
use enforcer_tls::trust::{self, Anchors};

mod lay;
mod stale;

pub(crate) use lay::{Laid, Laying, lay, lift, make_folder};
pub(crate) use stale::clean;

/// How long one container may take.
const PATIENCE: Duration = Duration::from_secs(8);
/// How long one that failed is left alone.
const RETRY: Duration = Duration::from_secs(60);
/// Mount namespaces that one workload is served in; a process may make new ones for as long as it likes.
const MAX_OF_ONE: usize = 32;
/// Threads that a container may keep waiting, all together.
const MAX_STUCK: usize = 8;
const MAX_WAITING: usize = 1024;

/// Where trust is to be put.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// A process in it.
    pub pid: u32,
    /// Its root, as seen from the process's, when it has not changed its root yet.
    pub root: Option<PathBuf>,
}

/// Puts trust into containers, and takes it out again.
pub(crate) struct Trust {
    shared: Arc<Shared>,
    jobs: SyncSender<Job>,
}

/// A mount namespace and a root in it: an engine makes the one before the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    namespace: MountNamespaceId,
    root: u64,
}

#[derive(Debug)]
struct Standing {
    workload: CgroupId,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    Failed(Instant),
    Laid(Laid),
    Laying,
}

struct Shared {
    /// What workloads read that were pointed at it.
    folder: PathBuf,
    /// What lies over the stores of containers.
    covers: PathBuf,
    ledger: Arc<Ledger>,
    authority: ArcSwap<Authority>,
    anchors: ArcSwap<Anchors>,
    own: MountNamespaceId,
    standing: Mutex<HashMap<Key, Standing>>,
    /// Held for reading while copies are written and not yet listed, for writing while unused ones are removed.
    writing: RwLock<()>,
    stuck: AtomicUsize,
    /// Whether all that an enforcer before us left is known.
    adopted: AtomicBool,
}

enum Job {
    Adopt,
    Lay(Arc<Workload>, Place, Key),
    Lift(Vec<u32>),
    Sweep,
}

// === impl Trust ===

impl Trust {
    /// Writes what workloads share and starts the thread that serves containers.
    ///
    /// # Errors
    /// When a folder or the thread cannot be made.
    pub(crate) fn start(
        runtime_dir: &Path,
        authority: Arc<Authority>,
        ledger: Arc<Ledger>,
    ) -> anyhow::Result<Self> {
        let covers = covers(runtime_dir);
        make_folder(&covers)?;
        let anchors = authority.anchors(SystemTime::now());
        let folder = trust::folder(runtime_dir);
        trust::place(&folder, &anchors)?;
        let shared = Arc::new(Shared {
            folder,
            covers,
            ledger,
            authority: ArcSwap::new(authority),
            anchors: ArcSwap::from_pointee(anchors),
            own: MountNamespaceId::current()?,
            standing: Mutex::default(),
            writing: RwLock::default(),
            stuck: AtomicUsize::new(0),
            adopted: AtomicBool::new(false),
        });
        let (jobs, waiting) = mpsc::sync_channel(MAX_WAITING);
        let worker = Arc::clone(&shared);
        thread::Builder::new()
            .name("trust".into())
            .spawn(move || worker.serve(&waiting))
            .context("a thread cannot be started")?;
        Ok(Self { shared, jobs })
    }

    /// Has workloads believe another CA. Containers follow with the next look.
    ///
    /// # Errors
    /// When the files that all share cannot be written.
    pub(crate) fn believe(&self, authority: Arc<Authority>) -> anyhow::Result<()> {
        let anchors = authority.anchors(SystemTime::now());
        trust::place(&self.shared.folder, &anchors)?;
        self.shared.authority.store(authority);
        self.shared.anchors.store(Arc::new(anchors));
        self.shared.lock().clear();
        Ok(())
    }

    /// Puts trust into one container and waits for it, no longer than a few seconds. What comes of it is in the ledger.
    pub(crate) fn place(&self, workload: &Arc<Workload>, place: &Place) {
        let Ok(key) = Key::of(place) else { return };
        if key.namespace == self.shared.own || !self.shared.begin(key, workload.cgroup) {
            return;
        }
        self.shared.lay(workload, place.clone(), key);
    }

    /// Makes what is served be what there is, given all workloads with their processes: new containers are served soon,
    /// without waiting for it, those that are gone are forgotten, and the CA's own time is followed.
    pub(crate) fn follow(&self, workloads: &[(Arc<Workload>, Vec<u32>)]) {
        let mut seen = HashSet::new();
        for (workload, pids) in workloads {
            for pid in pids {
                seen.extend(self.look_at(workload, *pid));
            }
        }
        let is_seen = |key: &Key, standing: &Standing| {
            seen.contains(key) || matches!(standing.phase, Phase::Laying)
        };
        let before = self.shared.lock().len();
        self.shared
            .lock()
            .retain(|key, standing| is_seen(key, standing));
        if self.shared.lock().len() < before {
            let _ = self.jobs.try_send(Job::Sweep);
        }
        let now = self.shared.authority.load().anchors(SystemTime::now());
        if now != **self.shared.anchors.load() {
            let authority = self.shared.authority.load_full();
            if let Err(error) = self.believe(authority) {
                tracing::error!(%error, "the trust that is over cannot be taken back");
            }
        }
        if !self.shared.adopted.load(Ordering::Relaxed) {
            let _ = self.jobs.try_send(Job::Adopt);
        }
    }

    /// Has the container that a process lives in served, if it lives in one.
    fn look_at(&self, workload: &Arc<Workload>, pid: u32) -> Option<Key> {
        let place = Place { pid, root: None };
        if MountNamespaceId::of_process(pid).ok()? == self.shared.own {
            return None;
        }
        let key = Key::of(&place).ok()?;
        if self.shared.begin(key, workload.cgroup) {
            let job = Job::Lay(Arc::clone(workload), place, key);
            if self.jobs.try_send(job).is_err() {
                self.shared.lock().remove(&key);
            }
        }
        Some(key)
    }

    /// Takes trust out of the containers of a workload that is released, given its processes.
    pub(crate) fn release(&self, workload: CgroupId, pids: Vec<u32>) {
        self.shared
            .lock()
            .retain(|_, standing| standing.workload != workload);
        if !pids.is_empty() && self.jobs.try_send(Job::Lift(pids)).is_err() {
            tracing::warn!(cgroup.id = %workload, "the trust stores of a released workload stay covered");
        }
    }

    /// The stores of a workload that believe us, and what does not, for people.
    pub(crate) fn of(&self, workload: CgroupId) -> (Vec<PathBuf>, Vec<String>) {
        let standing = self.shared.lock();
        let (mut stores, mut problems) = (Vec::new(), Vec::new());
        for one in standing.values().filter(|one| one.workload == workload) {
            match &one.phase {
                Phase::Laid(laid) => {
                    stores.extend_from_slice(&laid.stores);
                    problems.extend_from_slice(&laid.problems);
                }
                Phase::Failed(_) => problems.push("trust could not be placed".to_owned()),
                Phase::Laying => problems.push("trust is being placed".to_owned()),
            }
        }
        stores.sort();
        stores.dedup();
        (stores, problems)
    }
}

/// Where copies of stores are kept.
pub(crate) fn covers(runtime_dir: &Path) -> PathBuf {
    runtime_dir.join("covers")
}

// === impl Key ===

impl Key {
    fn of(place: &Place) -> anyhow::Result<Self> {
        let container = MountNamespace::of_process(place.pid, place.root.as_deref())?;
        Ok(Self {
            namespace: container.id(),
            root: container.root_mount()?,
        })
    }
}

// === impl Shared ===

impl Shared {
    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Standing>> {
        // Each entry stands for itself; none is ever half written.
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there is something to do, which nobody does already.
    fn begin(&self, key: Key, workload: CgroupId) -> bool {
        let mut standing = self.lock();
        let of_one = standing.values().filter(|one| one.workload == workload);
        let full = of_one.count() >= MAX_OF_ONE;
        let wanted = match standing.get(&key) {
            None => !full,
            Some(one) => match &one.phase {
                Phase::Failed(at) => at.elapsed() >= RETRY,
                Phase::Laid(_) | Phase::Laying => one.workload != workload,
            },
        };
        if wanted {
            let phase = Phase::Laying;
            standing.insert(key, Standing { workload, phase });
        }
        wanted
    }

    fn serve(self: &Arc<Self>, waiting: &Receiver<Job>) {
        while let Ok(job) = waiting.recv() {
            match job {
                Job::Adopt => self.adopt(),
                Job::Lay(workload, place, key) => self.lay(&workload, place, key),
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

    fn lay(self: &Arc<Self>, workload: &Workload, place: Place, key: Key) {
        let _writing = self.writing.read();
        let anchors = self.anchors.load_full();
        let this = Arc::clone(self);
        let done = self.bounded(move || {
            let container = MountNamespace::of_process(place.pid, place.root.as_deref())?;
            let laying = Laying {
                covers: &this.covers,
                anchors: &anchors,
            };
            lay(laying, &container)
        });
        match &done {
            Ok(laid) => self.record(workload, laid),
            Err(error) => self.record_failure(workload, error),
        }
        let phase = done.map_or_else(|_| Phase::Failed(Instant::now()), Phase::Laid);
        if let Some(standing) = self.lock().get_mut(&key) {
            standing.phase = phase;
        }
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
                .any(|one| matches!(one.phase, Phase::Laying))
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

//! What is laid over the files of running workloads: trust in our CA where programs look for it, and nothing where sockets of
//! the host show.
//!
//! A workload that lives in a mount namespace of its own has its trust stores covered by copies that also hold our certificates.
//! What cannot be done is recorded and opens nothing: programs that do not believe us get no connection. The private key is
//! nowhere near; all that is handled here are certificates.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{self, SyncSender};
use std::sync::{Arc, Mutex, RwLock};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use anyhow::Context;
use arc_swap::ArcSwap;
use enforcer_audit::Ledger;
use enforcer_flow::{CgroupId, Workload};
use enforcer_kernel::MountNamespaceId;
use enforcer_tls::Authority;
use enforcer_tls::trust;

mod lay;
mod serving;
mod sockets;
mod stale;

pub(crate) use stale::clean;

use lay::make_folder;
use serving::{Job, Key, Phase, Shared, Standing, Task};

/// Containers that may wait to be served.
const MAX_WAITING: usize = 1024;
/// How often it is looked whether what was asked for is done.
const LOOK_EVERY: Duration = Duration::from_millis(20);

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

// === impl Trust ===

impl Trust {
    /// Writes what workloads share and starts the thread that serves containers, which are left the host's `sockets` of that
    /// list and no others.
    ///
    /// # Errors
    /// When a folder or the thread cannot be made.
    pub(crate) fn start(
        runtime_dir: &Path,
        sockets: &[PathBuf],
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
            sockets: sockets.to_vec(),
            ledger,
            authority: ArcSwap::new(authority),
            anchors: ArcSwap::from_pointee(anchors),
            own: MountNamespaceId::current()?,
            standing: Mutex::default(),
            writing: RwLock::default(),
            stuck: AtomicUsize::new(0),
            adopted: AtomicBool::new(false),
            looks: AtomicU64::new(0),
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
        for standing in self.shared.lock().values_mut() {
            if let Phase::Laid(laid) = &mut standing.phase {
                standing.phase = Phase::Stale(std::mem::take(&mut laid.known));
            }
        }
        Ok(())
    }

    /// Serves one container and waits for it, no longer than a few seconds. What comes of it is in the ledger.
    ///
    /// # Errors
    /// When sockets of the host show in it, or may. Trust that could not be placed is none: it opens nothing.
    pub(crate) fn place(&self, workload: &Arc<Workload>, place: &Place) -> anyhow::Result<()> {
        let key = Key::of(place)?;
        if key.namespace == self.shared.own {
            return Ok(());
        }
        if let Some(known) = self.shared.begin(key, workload.cgroup) {
            self.shared.lay(Task {
                workload: Arc::clone(workload),
                place: place.clone(),
                key,
                known,
            });
        }
        self.shared.is_closed(key)
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
        self.shared.looks.fetch_add(1, Ordering::Relaxed);
    }

    /// Waits until all containers were looked at anew and served, or the time is over. Not to be called by who looks.
    pub(crate) fn wait_settled(&self, patience: Duration) {
        let until = Instant::now() + patience;
        // The first look to end may have begun before the call.
        let looks = self.shared.looks.load(Ordering::Relaxed) + 2;
        let is_laying = |one: &Standing| matches!(one.phase, Phase::Laying | Phase::Stale(_));
        while Instant::now() < until
            && (self.shared.looks.load(Ordering::Relaxed) < looks
                || self.shared.lock().values().any(is_laying))
        {
            thread::sleep(LOOK_EVERY);
        }
    }

    /// Has the container that a process lives in served, if it lives in one.
    fn look_at(&self, workload: &Arc<Workload>, pid: u32) -> Option<Key> {
        let place = Place { pid, root: None };
        if MountNamespaceId::of_process(pid).ok()? == self.shared.own {
            return None;
        }
        let key = Key::of(&place).ok()?;
        if let Some(known) = self.shared.begin(key, workload.cgroup) {
            let job = Job::Lay(Task {
                workload: Arc::clone(workload),
                place,
                key,
                known,
            });
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
                Phase::Laying | Phase::Stale(_) => {
                    problems.push("trust is being placed".to_owned());
                }
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

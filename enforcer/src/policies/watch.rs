//! Changes of policy files, taken over when they have come to rest.
//!
//! The kernel tells of changes in the folder; a slow look at the files themselves finds what it does not tell (a folder
//! replaced as a whole, network file systems, no watches left). Either way only the files' content counts: it is read
//! until it reads the same twice, so neither half a file nor a mixture of two versions of a folder is ever compiled.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::Context;
use arc_swap::ArcSwap;
use enforcer_policy::{Diagnostic, PolicySet, Severity};
use notify::event::{AccessKind, AccessMode};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};

use crate::policies::files::{self, Texts};
use crate::policies::{Policies, Reload, compile};

/// How often files are read again while they keep changing, before that itself is reported.
const MAX_READS: usize = 50;

/// How fast changes are followed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// How long files must rest before they are believed.
    pub(crate) rest: Duration,
    /// How often the files are looked at unasked.
    pub(crate) poll: Duration,
}

/// Watches until it is dropped.
pub(crate) struct Watch {
    stop: Arc<AtomicBool>,
    nudge: SyncSender<()>,
    thread: Option<JoinHandle<()>>,
}

/// The watching thread's own.
struct Watcher<F> {
    path: PathBuf,
    pace: Pace,
    set: Arc<ArcSwap<PolicySet>>,
    /// The names of secrets that rules may take.
    secrets: BTreeSet<String>,
    /// What was last compiled or reported, so that nothing is reported twice.
    seen: Result<Texts, Vec<Diagnostic>>,
    stop: Arc<AtomicBool>,
    changes: Receiver<()>,
    folder: Folder,
    report: F,
}

/// The kernel's watch on a folder.
struct Folder {
    path: PathBuf,
    /// None when the kernel gives no watches; then only the slow look is left.
    notifier: Option<RecommendedWatcher>,
    /// Which folder is watched: a path may lead to another one tomorrow.
    watched: Option<(u64, u64)>,
}

// === impl Pace ===

impl Default for Pace {
    fn default() -> Self {
        Self {
            rest: Duration::from_millis(100),
            poll: Duration::from_secs(5),
        }
    }
}

// === impl Watch ===

impl Watch {
    pub(crate) fn start(
        policies: Policies,
        pace: Pace,
        report: impl FnMut(Reload) + Send + 'static,
    ) -> anyhow::Result<Self> {
        let Policies {
            path,
            texts,
            set,
            loaded: _,
            secrets,
        } = policies;
        // One waiting nudge says all that a hundred would.
        let (nudge, changes) = sync_channel(1);
        let stop = Arc::new(AtomicBool::new(false));
        let watcher = Watcher {
            folder: Folder::new(&path, nudge.clone()),
            path,
            pace,
            set,
            seen: Ok(texts),
            secrets,
            stop: Arc::clone(&stop),
            changes,
            report,
        };
        let thread = thread::Builder::new()
            .name("policy-watch".to_owned())
            .spawn(move || watcher.run())
            .context("the thread that watches policies cannot be started")?;
        Ok(Self {
            stop,
            nudge,
            thread: Some(thread),
        })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        // A full channel wakes the thread as well as this nudge would.
        let _ = self.nudge.try_send(());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that watches policies panicked");
        }
    }
}

// === impl Watcher ===

impl<F: FnMut(Reload)> Watcher<F> {
    fn run(mut self) {
        // What changed between the first read and the first watch is found by looking once unasked.
        loop {
            self.folder.watch();
            self.look();
            match self.changes.recv_timeout(self.pace.poll) {
                Ok(()) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if self.stop.load(Ordering::Acquire) {
                return;
            }
        }
    }

    /// Takes over what changed, if anything did.
    fn look(&mut self) {
        let mut now = files::read(&self.path);
        if now == self.seen {
            return;
        }
        let mut reads = 0;
        loop {
            if !self.rest() {
                return;
            }
            let again = files::read(&self.path);
            if again == now {
                break;
            }
            now = again;
            reads += 1;
            if reads == MAX_READS {
                now = Err(vec![self.restless()]);
                break;
            }
        }
        if now == self.seen {
            return;
        }
        let reload = self.take_over(&now);
        self.seen = now;
        (self.report)(reload);
    }

    fn take_over(&self, texts: &Result<Texts, Vec<Diagnostic>>) -> Reload {
        let compiled = texts.as_ref().map_err(Clone::clone);
        let compiled = compiled.and_then(|texts| compile(texts, &self.secrets));
        match compiled {
            Ok((set, loaded)) => {
                self.set.store(Arc::new(set));
                Reload::Loaded(loaded)
            }
            Err(diagnostics) => Reload::Rejected { diagnostics },
        }
    }

    /// Waits for a while without changes; whether to go on after it.
    fn rest(&self) -> bool {
        let stopped = || self.stop.load(Ordering::Acquire);
        for _ in 0..MAX_READS {
            match self.changes.recv_timeout(self.pace.rest) {
                Ok(()) if stopped() => return false,
                Ok(()) => {}
                Err(RecvTimeoutError::Timeout) => return !stopped(),
                Err(RecvTimeoutError::Disconnected) => return false,
            }
        }
        true
    }

    fn restless(&self) -> Diagnostic {
        let file = self.path.display().to_string();
        Diagnostic::of_file(
            Severity::Error,
            &file,
            "changes all the time and was never seen at rest",
        )
    }
}

// === impl Folder ===

impl Folder {
    fn new(policies: &Path, nudge: SyncSender<()>) -> Self {
        let notifier = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // An error may hide a change.
            if event.is_ok_and(|event| !is_change(event.kind)) {
                return;
            }
            let _ = nudge.try_send(());
        });
        Self {
            path: folder_of(policies),
            notifier: notifier.inspect_err(unwatched).ok(),
            watched: None,
        }
    }

    /// Makes the kernel watch the folder that the path leads to now.
    fn watch(&mut self) {
        let Some(notifier) = &mut self.notifier else {
            return;
        };
        let metadata = fs::metadata(&self.path);
        let folder = metadata.ok().map(|folder| (folder.dev(), folder.ino()));
        if folder == self.watched {
            return;
        }
        // The watch on a folder that is gone may be gone with it.
        let _ = notifier.unwatch(&self.path);
        self.watched = None;
        if folder.is_some() {
            match notifier.watch(&self.path, RecursiveMode::NonRecursive) {
                Ok(()) => self.watched = folder,
                Err(error) => unwatched(&error),
            }
        }
    }
}

fn unwatched(error: &notify::Error) {
    tracing::warn!(%error, "changes of policies are found by looking every few seconds only");
}

/// Where changes of policies happen: the folder itself, or the one that the file is in.
fn folder_of(policies: &Path) -> PathBuf {
    let parent = policies
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    match (policies.is_dir(), parent) {
        (true, _) => policies.to_owned(),
        (false, Some(parent)) => parent.to_owned(),
        (false, None) => PathBuf::from("."),
    }
}

/// Whether an event may be a change. Our own reading is an event too, and must not be followed by another.
fn is_change(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => true,
        EventKind::Access(_) => false,
        EventKind::Any
        | EventKind::Create(_)
        | EventKind::Modify(_)
        | EventKind::Remove(_)
        | EventKind::Other => true,
    }
}

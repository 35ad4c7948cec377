//! Being interrupted without leaving anything behind: the agent is killed, the story ends early, and every guard runs.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};

/// Knows whether somebody asked us to stop.
#[derive(Debug, Clone, Default)]
pub(super) struct Interruption(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    asked: AtomicBool,
    cgroup: Mutex<Option<PathBuf>>,
}

impl Interruption {
    /// Takes SIGINT and SIGTERM from now on.
    pub(super) fn watch() -> anyhow::Result<Self> {
        let watched = Self::default();
        let watcher = watched.clone();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (ready, listening) = std::sync::mpsc::channel();
        thread::spawn(move || runtime.block_on(watcher.listen(&ready)));
        listening.recv().context("watch for signals")??;
        Ok(watched)
    }

    /// Whoever is in this cgroup dies when we are interrupted.
    pub(super) fn kills(&self, cgroup: &Path) {
        let mut held = self.0.cgroup.lock().unwrap_or_else(PoisonError::into_inner);
        *held = Some(cgroup.to_owned());
    }

    /// An error once somebody asked us to stop.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        let asked = self.0.asked.load(Ordering::Relaxed);
        anyhow::ensure!(!asked, "interrupted");
        Ok(())
    }

    async fn listen(&self, ready: &std::sync::mpsc::Sender<std::io::Result<()>>) {
        let signals = signal(SignalKind::interrupt())
            .and_then(|first| Ok((first, signal(SignalKind::terminate())?)));
        let (mut interrupted, mut terminated) = match signals {
            Ok(signals) => signals,
            Err(error) => {
                let _ = ready.send(Err(error));
                return;
            }
        };
        let _ = ready.send(Ok(()));
        tokio::select! {
            _ = interrupted.recv() => {}
            _ = terminated.recv() => {}
        }
        self.0.asked.store(true, Ordering::Relaxed);
        let held = self.0.cgroup.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cgroup) = held.as_ref() {
            let _ = std::fs::write(cgroup.join("cgroup.kill"), "1");
        }
    }
}

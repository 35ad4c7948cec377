//! From the kernel to the disk: recordings that are whole are synced by a thread of their own, so that no exchange waits for
//! it, and what the ledger says of them is there after a power failure, too.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};

/// How many may wait. Whoever finds no place syncs its own.
const WAITING: usize = 4096;

/// The thread, once there is something to sync. What waits when this is dropped is synced before.
#[derive(Debug)]
pub(super) struct Disk {
    folder: PathBuf,
    waiting: Option<SyncSender<String>>,
    thread: Option<JoinHandle<()>>,
}

// === impl Disk ===

impl Disk {
    /// Starts the thread.
    pub(super) fn start(folder: &Path) -> io::Result<Self> {
        let (waiting, taken) = sync_channel(WAITING);
        let own = folder.to_owned();
        let thread = thread::Builder::new().name("recordings".to_owned());
        Ok(Self {
            folder: folder.to_owned(),
            waiting: Some(waiting),
            thread: Some(thread.spawn(move || serve(&own, &taken))?),
        })
    }

    /// Has a recording synced.
    pub(super) fn take(&self, id: &str) {
        let Some(waiting) = &self.waiting else {
            return;
        };
        match waiting.try_send(id.to_owned()) {
            Ok(()) => {}
            Err(TrySendError::Full(id) | TrySendError::Disconnected(id)) => {
                sync(&self.folder, &[id]);
            }
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.waiting = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that syncs recordings had panicked");
        }
    }
}

fn serve(folder: &Path, taken: &Receiver<String>) {
    while let Ok(first) = taken.recv() {
        let mut ids = vec![first];
        ids.extend(taken.try_iter().take(WAITING));
        sync(folder, &ids);
    }
}

/// Syncs the files, then the folder that names them.
fn sync(folder: &Path, ids: &[String]) {
    let mut failed = None;
    for id in ids {
        for kind in ["request", "answer", "json"] {
            if let Err(error) = sync_file(&folder.join(format!("{id}.{kind}"))) {
                failed = Some(error);
            }
        }
    }
    if let Err(error) = File::open(folder).and_then(|folder| folder.sync_all()) {
        failed = Some(error);
    }
    if let Some(error) = failed {
        tracing::warn!(%error, folder = %folder.display(), "recordings are written and may not be on the disk");
    }
}

/// A side that was not wanted has no file, and the oldest may be gone already.
fn sync_file(path: &Path) -> io::Result<()> {
    match File::open(path).and_then(|file| file.sync_data()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        synced => synced,
    }
}

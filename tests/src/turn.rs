//! Taking turns: a daemon serves every labelled cgroup of the machine, so two of them would serve each other's agents.
//!
//! Whoever starts a daemon holds the turn for as long as it runs; `enforcer run` needs none.

use std::fs::File;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use rustix::fs::{FlockOperation, flock};

/// Where a daemon keeps what it pinned, and a lock on it for as long as it runs.
const PINS: &str = "/sys/fs/bpf/enforcer/daemon";
/// How long a daemon that is not ours may take to go away.
const PATIENCE: Duration = Duration::from_secs(600);
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The right to run a daemon on this machine, across threads and processes; given back when dropped.
#[derive(Debug)]
pub struct Turn {
    _lock: File,
}

impl Turn {
    /// Waits until nobody else has it and no daemon runs.
    ///
    /// # Errors
    /// When the lock file cannot be made, or a daemon that is not ours stays.
    pub fn take() -> anyhow::Result<Self> {
        let path = Self::place();
        let opened = File::create(&path).with_context(|| format!("{}", path.display()))?;
        opened.lock()?;
        let until = Instant::now() + PATIENCE;
        while is_serving() {
            anyhow::ensure!(Instant::now() < until, "a daemon runs on this machine");
            std::thread::sleep(LOOK_EVERY);
        }
        Ok(Self { _lock: opened })
    }

    fn place() -> PathBuf {
        std::env::temp_dir().join("enforcer-tests.lock")
    }
}

/// Whether a daemon holds its lock.
fn is_serving() -> bool {
    let Ok(folder) = File::open(PINS) else {
        return false;
    };
    flock(&folder, FlockOperation::NonBlockingLockShared).is_err()
}

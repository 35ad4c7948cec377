//! Taking turns: a daemon serves every labelled cgroup of the machine, so two of them would serve each other's agents.
//!
//! Whoever starts a daemon holds the turn for as long as it runs; `enforcer run` needs none, but that nobody uninstalls.

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

/// The right to run commands under enforcement, which many have at once, or to see that nobody does: what uninstalls takes
/// away what all commands stand on. Given back when dropped.
#[derive(Debug)]
pub struct Runs {
    _lock: File,
}

impl Runs {
    /// Beside others.
    ///
    /// # Errors
    /// When the lock file cannot be made.
    pub fn share() -> anyhow::Result<Self> {
        let lock = Self::open()?;
        lock.lock_shared()?;
        Ok(Self { _lock: lock })
    }

    /// With nobody else, once those have ended.
    ///
    /// # Errors
    /// When the lock file cannot be made.
    pub fn alone() -> anyhow::Result<Self> {
        let lock = Self::open()?;
        lock.lock()?;
        Ok(Self { _lock: lock })
    }

    fn open() -> anyhow::Result<File> {
        let path = std::env::temp_dir().join("enforcer-tests.runs.lock");
        File::create(&path).with_context(|| format!("{}", path.display()))
    }
}

/// Whether a daemon holds its lock.
fn is_serving() -> bool {
    let Ok(folder) = File::open(PINS) else {
        return false;
    };
    flock(&folder, FlockOperation::NonBlockingLockShared).is_err()
}

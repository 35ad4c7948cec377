//! Taking turns: a daemon serves every labelled cgroup of the machine, so two of them would serve each other's agents.
//!
//! Whoever starts a daemon holds the turn for as long as it runs; `enforcer run` needs none.

use std::fs::File;
use std::path::PathBuf;

use anyhow::Context as _;

/// The right to run a daemon on this machine, across threads and processes; given back when dropped.
#[derive(Debug)]
pub struct Turn {
    _lock: File,
}

impl Turn {
    /// Waits until nobody else has it.
    ///
    /// # Errors
    /// When the lock file cannot be made.
    pub fn take() -> anyhow::Result<Self> {
        let path = Self::place();
        let opened = File::create(&path).with_context(|| format!("{}", path.display()))?;
        opened.lock()?;
        Ok(Self { _lock: opened })
    }

    fn place() -> PathBuf {
        std::env::temp_dir().join("enforcer-tests.lock")
    }
}

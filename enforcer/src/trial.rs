//! A cgroup and a place to pin where programs are tried, and the child that acts there.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Context as _;
use enforcer_identity::{Cgroup, Hierarchy, RUNS};

use crate::app::RUN_PINS;

/// How long what was tried may take to go.
const PATIENCE: Duration = Duration::from_secs(5);

/// Like those of a run: what is left by one that was killed goes with theirs.
pub(crate) struct Room {
    pub cgroup: Cgroup,
    pub pins: PathBuf,
}

impl Room {
    /// One of this process's own, called after what it is for.
    ///
    /// # Errors
    /// When the cgroup cannot be made.
    pub(crate) fn make(purpose: &str) -> anyhow::Result<Self> {
        let id = format!("{purpose}-{}", std::process::id());
        let hierarchy = Hierarchy::discover()?;
        Ok(Self {
            cgroup: hierarchy.create(&format!("{RUNS}/{id}"))?,
            pins: Path::new(RUN_PINS).join(id),
        })
    }

    /// Removes the cgroup.
    ///
    /// # Errors
    /// When that does not work in time.
    pub(crate) fn remove(&self) -> anyhow::Result<()> {
        Ok(self.cgroup.remove(PATIENCE)?)
    }
}

/// This binary, as a child that acts.
///
/// # Errors
/// When it is nowhere.
pub(crate) fn myself(act: &str) -> anyhow::Result<Command> {
    let own = std::env::current_exe().context("this binary is nowhere to be found")?;
    let mut command = Command::new(own);
    command.arg("doctor").arg(act);
    Ok(command)
}

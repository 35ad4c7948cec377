//! What runs that were killed left behind: their pins, cgroups and public files. Cleared away by the next run.
//!
//! Ledgers stay. A run whose processes live on keeps everything, above all the programs that hold them.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use enforcer_identity::{Hierarchy, RUNS};
use uuid::Uuid;

use crate::app::RUN_PINS;

/// What names of runs begin with.
pub(super) const PREFIX: &str = "run-";
/// A run that is younger may be on its way: its cgroup is there before its pins are.
const YOUNG: Duration = Duration::from_secs(60);

/// Clears it away. What cannot be is left for the next run.
pub(super) fn clear(hierarchy: &Hierarchy, runtime_dir: &Path) {
    if let Err(error) = enforcer_kernel::prune(Path::new(RUN_PINS)) {
        tracing::debug!(%error, "pins of earlier runs could not be removed");
    }
    let cgroups = hierarchy.mount().join(RUNS.trim_start_matches('/'));
    for id in dead_in(&cgroups) {
        if let Err(error) = remove_cgroup(hierarchy, &cgroups.join(&id)) {
            tracing::debug!(%error, run = id, "the cgroup of an earlier run could not be removed");
        }
    }
    for id in dead_in(runtime_dir) {
        if cgroups.join(&id).exists() {
            continue;
        }
        if let Err(error) = std::fs::remove_dir_all(runtime_dir.join(&id)) {
            tracing::debug!(%error, run = id, "the files of an earlier run could not be removed");
        }
    }
}

/// Runs that have a folder here, and no enforcer any more.
fn dead_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|id| age(id).is_some_and(|age| age > YOUNG))
        .filter(|id| !Path::new(RUN_PINS).join(id).exists())
        .collect()
}

/// How long ago a run was named; none for what is not a run's name.
fn age(id: &str) -> Option<Duration> {
    let uuid = Uuid::try_parse(id.strip_prefix(PREFIX)?).ok()?;
    let (seconds, nanoseconds) = uuid.get_timestamp()?.to_unix();
    let named = UNIX_EPOCH + Duration::new(seconds, nanoseconds);
    SystemTime::now().duration_since(named).ok()
}

fn remove_cgroup(hierarchy: &Hierarchy, dir: &Path) -> anyhow::Result<()> {
    let cgroup = hierarchy.open(dir)?;
    if cgroup.is_populated()? {
        return Ok(());
    }
    cgroup.remove(Duration::ZERO).context("it is in use")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_runs_have_an_age() {
        let fresh = format!("{PREFIX}{}", Uuid::now_v7().simple());
        assert!(age(&fresh).is_none_or(|age| age < YOUNG));
        let old = age("run-00000000000070008000000000000001").expect("an age");
        assert!(old > YOUNG);
        for other in [
            "run-",
            "run-x",
            "daemon",
            "00000000000070008000000000000001",
        ] {
            assert_eq!(age(other), None, "{other}");
        }
    }
}

//! Where a run takes place: a network namespace, a folder and a cgroup of its own, all gone afterwards.

use std::{
    env, fs,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use super::cgroup::{self, RunCgroup};

/// What folders and cgroups of a run are called, before the id of its process.
const PREFIX: &str = "enforcer-bench-";

/// Set for the process that already runs in the namespace.
const INSIDE: &str = "ENFORCER_BENCH_INSIDE";

/// The run's folder and the agent's cgroup; dropping it removes both.
#[derive(Debug)]
pub(super) struct Site {
    folder: TempDir,
    cgroup: RunCgroup,
}

/// Makes sure that this process is alone in a network namespace whose loopback is up: starts itself over when it is
/// not, and then returns only with an error.
pub(super) fn enter_namespace() -> Result<()> {
    ensure!(
        rustix::process::geteuid().is_root(),
        "the benchmark needs root: a network namespace, a cgroup, eBPF"
    );
    if env::var_os(INSIDE).is_none() {
        let error = Command::new("unshare")
            .args(["--net", "--"])
            .arg(env::current_exe().context("cannot find this program")?)
            .args(env::args_os().skip(1))
            .env(INSIDE, "1")
            .exec();
        return Err(error).context("cannot run unshare");
    }
    let loopback = ["link", "set", "lo", "up"];
    let status = Command::new("ip")
        .args(loopback)
        .status()
        .context("cannot run ip")?;
    ensure!(status.success(), "cannot bring loopback up");
    // Rows that open thousands of connections would otherwise run out of ports before old ones leave TIME_WAIT.
    fs::write("/proc/sys/net/ipv4/ip_local_port_range", "12000 64999")
        .context("cannot widen the port range")
}

// === impl Site ===

impl Site {
    /// Makes the folder and the cgroup.
    pub(super) fn make() -> Result<Self> {
        let unified = cgroup::unified()?;
        remove_remains(&unified, &env::temp_dir());
        let name = format!("{PREFIX}{}", std::process::id());
        let folder =
            TempDir::with_prefix(format!("{name}-")).context("cannot make a temporary folder")?;
        let cgroup = RunCgroup::enter(unified.join(name))?;
        Ok(Self { folder, cgroup })
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn cgroup(&self) -> &RunCgroup {
        &self.cgroup
    }
}

/// Removes what runs left behind that were killed before they could.
fn remove_remains(unified: &Path, temporary: &Path) {
    for cgroup in remains_in(unified) {
        cgroup::remove(&cgroup);
    }
    for folder in remains_in(temporary) {
        // What cannot be removed is in nobody's way.
        let _removed = fs::remove_dir_all(folder);
    }
}

/// Entries named after a process that is no more.
fn remains_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter(|entry| {
            let name = entry.file_name();
            let id = name
                .to_str()
                .and_then(|name| name.strip_prefix(PREFIX)?.split('-').next());
            id.and_then(|id| id.parse::<u32>().ok())
                .is_some_and(|id| !Path::new(&format!("/proc/{id}")).exists())
        })
        .map(|entry| entry.path())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_dead_runs_left_is_removed() {
        let folder = TempDir::new().expect("a folder");
        let mine = format!("{PREFIX}{}-x", std::process::id());
        // Ids end at four million.
        let dead = format!("{PREFIX}99999999-x");
        for name in [&mine, &dead, "enforcer-bench-x", "else"] {
            fs::create_dir(folder.path().join(name)).expect("a folder");
        }
        assert_eq!(remains_in(folder.path()), [folder.path().join(dead)]);
    }
}

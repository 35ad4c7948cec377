//! Where a run takes place: a network namespace, a folder and a cgroup of its own, all gone afterwards.

use std::{
    env, fs,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(5);

/// What folders and cgroups of a run are called, before the id of its process.
const PREFIX: &str = "enforcer-bench-";

/// Set for the process that already runs in the namespace.
const INSIDE: &str = "ENFORCER_BENCH_INSIDE";

/// The run's folder and the agent's cgroup; dropping it removes both.
#[derive(Debug)]
pub(super) struct Site {
    folder: TempDir,
    cgroup: AgentCgroup,
}

/// A leaf cgroup below one of ours, so that the parent can hold other things than processes.
#[derive(Debug)]
struct AgentCgroup {
    parent: PathBuf,
    leaf: PathBuf,
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
    let status = Command::new("ip")
        .args(["link", "set", "lo", "up"])
        .status()
        .context("cannot run ip")?;
    ensure!(status.success(), "cannot bring loopback up");
    // Rows that open thousands of connections would otherwise run out of ports before old ones leave TIME_WAIT.
    fs::write("/proc/sys/net/ipv4/ip_local_port_range", "12000 65000")
        .context("cannot widen the port range")
}

// === impl Site ===

impl Site {
    /// Makes the folder and the cgroup.
    pub(super) fn make() -> Result<Self> {
        let unified = cgroup2_mount()?;
        remove_remains(&unified, &env::temp_dir());
        let name = format!("{PREFIX}{}", std::process::id());
        let folder =
            TempDir::with_prefix(format!("{name}-")).context("cannot make a temporary folder")?;
        let cgroup = AgentCgroup::make(unified.join(name))?;
        Ok(Self { folder, cgroup })
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The cgroup that captured traffic comes from.
    pub(super) fn cgroup(&self) -> &Path {
        &self.cgroup.leaf
    }
}

// === impl AgentCgroup ===

impl AgentCgroup {
    fn make(parent: PathBuf) -> Result<Self> {
        let leaf = parent.join("agent");
        fs::create_dir(&parent)
            .with_context(|| format!("cannot make the cgroup {}", parent.display()))?;
        let made = Self { parent, leaf };
        fs::create_dir(&made.leaf).context("cannot make the agent's cgroup")?;
        Ok(made)
    }
}

impl Drop for AgentCgroup {
    fn drop(&mut self) {
        // Whatever is still inside was started by this run. Errors mean that there is nothing left to end.
        let _ended = fs::write(self.leaf.join("cgroup.kill"), "1");
        let deadline = Instant::now() + PATIENCE;
        for folder in [&self.leaf, &self.parent] {
            while folder.exists() && fs::remove_dir(folder).is_err() && Instant::now() < deadline {
                thread::sleep(Duration::from_millis(10));
            }
        }
    }
}

/// Removes what runs left behind that were killed before they could.
fn remove_remains(unified: &Path, temporary: &Path) {
    for cgroup in remains_in(unified) {
        drop(AgentCgroup {
            leaf: cgroup.join("agent"),
            parent: cgroup,
        });
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

/// The mount point of the unified hierarchy, also where it lives beside the old one.
fn cgroup2_mount() -> Result<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").context("cannot read the mounts")?;
    match mounts.lines().find_map(cgroup2_in) {
        Some(path) => Ok(path),
        None => bail!("no cgroup2 hierarchy is mounted"),
    }
}

/// The mount point, when `line` of mountinfo is about cgroup2 (the type follows the lone dash).
fn cgroup2_in(line: &str) -> Option<PathBuf> {
    let (front, back) = line.split_once(" - ")?;
    back.starts_with("cgroup2 ")
        .then(|| front.split(' ').nth(4).map(PathBuf::from))?
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

    #[test]
    fn only_the_unified_hierarchy_is_taken() {
        let old = "30 25 0:26 / /sys/fs/cgroup/pids rw,nosuid - cgroup cgroup rw,pids";
        let new = "31 25 0:27 / /sys/fs/cgroup/unified rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate";
        assert_eq!(cgroup2_in(old), None);
        assert_eq!(
            cgroup2_in(new),
            Some(PathBuf::from("/sys/fs/cgroup/unified"))
        );
    }
}

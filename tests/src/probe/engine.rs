//! The surroundings of a container engine: a mount namespace of its own in which `/sys/fs/cgroup` is version 2 alone.
//!
//! Machines that mount the older hierarchies beside it make engines use those. Nothing here is seen outside of the
//! namespace, which goes with the last process in it.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use clap::Args;
use nix::sched::{CloneFlags, unshare};
use rustix::mount::{MountFlags, MountPropagationFlags, UnmountFlags};

/// Where engines look for cgroups.
const CGROUPS: &str = "/sys/fs/cgroup";

/// Become a container engine in a mount namespace of its own
#[derive(Debug, Args)]
pub(super) struct Engine {
    /// The directory of the cgroup that it is to be in
    #[arg(long)]
    cgroup: PathBuf,
    /// The program and its arguments
    #[arg(trailing_var_arg = true, required = true, allow_hyphen_values = true)]
    command: Vec<OsString>,
}

/// Returns only when it did not work.
pub(super) fn become_it(engine: Engine) -> anyhow::Error {
    let Engine { cgroup, command } = engine;
    if let Err(error) = super::join(&cgroup).and_then(|()| only_version_2()) {
        return error;
    }
    let Some((program, arguments)) = command.split_first() else {
        return anyhow::anyhow!("no program was given");
    };
    let failed = Command::new(program).args(arguments).exec();
    anyhow::Error::new(failed).context(format!("run {}", program.display()))
}

fn only_version_2() -> anyhow::Result<()> {
    unshare(CloneFlags::CLONE_NEWNS).context("make a mount namespace")?;
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    rustix::mount::mount_change("/", private).context("make mounts private")?;
    for below in mounts_below(CGROUPS)? {
        rustix::mount::unmount(&below, UnmountFlags::DETACH)
            .with_context(|| format!("unmount {}", below.display()))?;
    }
    rustix::mount::mount("none", CGROUPS, "cgroup2", MountFlags::empty(), None)
        .context("mount cgroup2")
}

/// The mounts at and below a folder, the innermost first.
fn mounts_below(folder: &str) -> anyhow::Result<Vec<PathBuf>> {
    let mounts = std::fs::read_to_string("/proc/thread-self/mountinfo")?;
    let points = mounts.lines().filter_map(|line| line.split(' ').nth(4));
    let mut below: Vec<PathBuf> = points
        .map(PathBuf::from)
        .filter(|point| point.starts_with(Path::new(folder)))
        .collect();
    below.reverse();
    Ok(below)
}

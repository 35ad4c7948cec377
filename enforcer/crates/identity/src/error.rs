//! What can go wrong with cgroups and their labels.

use std::io;
use std::path::{Path, PathBuf};

/// A cgroup cannot be found, read, made or removed.
#[derive(Debug, thiserror::Error)]
pub enum CgroupError {
    /// Processes stay in it.
    #[error("cgroup `{path}` still has processes after {waited:?}")]
    Busy {
        /// Below the mount.
        path: String,
        /// How long was waited for them.
        waited: std::time::Duration,
    },
    /// It is there already.
    #[error("cgroup `{path}` exists already")]
    Exists {
        /// Below the mount.
        path: String,
    },
    /// The system said no.
    #[error("cannot {action} `{}`: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is no such cgroup.
    #[error("no cgroup v2 directory at `{}`", path.display())]
    Missing {
        /// As it was given.
        path: PathBuf,
    },
    /// The text cannot name a cgroup.
    #[error("`{}` is not a cgroup path: {why}", path.display())]
    Name {
        /// As it was given.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// No cgroup v2 file system is mounted here.
    #[error("no cgroup2 file system is mounted (`mount -t cgroup2 none /sys/fs/cgroup` mounts it)")]
    NotMounted,
    /// Only a part of the hierarchy is mounted here.
    #[error("the cgroup2 file system at `{}` shows only the part below `{root}`", mount.display())]
    Partial {
        /// Where it is mounted.
        mount: PathBuf,
        /// What its root is.
        root: String,
    },
    /// The process has no cgroup that this hierarchy shows.
    #[error("process {pid} is in no cgroup that is visible here")]
    Unseen {
        /// Its id.
        pid: u32,
    },
}

/// A cgroup cannot be labelled.
#[derive(Debug, thiserror::Error)]
pub enum LabelError {
    /// It cannot be read or written.
    #[error(transparent)]
    Cgroup(#[from] CgroupError),
    /// The enforcer's own connections would be redirected to itself.
    #[error("cgroup `{path}` cannot be labelled: the enforcer itself runs in it (in `{enforcer}`)")]
    ContainsEnforcer {
        /// Below the mount.
        path: String,
        /// The enforcer's own cgroup.
        enforcer: String,
    },
    /// One further down is labelled.
    #[error(
        "cgroup `{path}` cannot be labelled: `{labelled}` in it is labelled already, unlabel that first"
    )]
    Covers {
        /// Below the mount.
        path: String,
        /// The labelled one.
        labelled: String,
    },
    /// One further up is labelled.
    #[error(
        "cgroup `{path}` cannot be labelled: `{labelled}` above it is labelled already and covers it"
    )]
    Nested {
        /// Below the mount.
        path: String,
        /// The labelled one.
        labelled: String,
    },
    /// The text is no policy's name.
    #[error("`{}` cannot name a policy: expected up to 128 letters, digits, `-`, `_`, `.` or `/`", name.escape_debug())]
    Policy {
        /// As it was given.
        name: String,
    },
    /// Everything on the machine is in it, the enforcer too.
    #[error("the root of the cgroup hierarchy cannot be labelled: label the agents' own cgroup")]
    Root,
}

/// There are as many workloads as the configuration allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{limit} workloads are served already, which is the limit")]
pub struct WorkloadsFull {
    /// The limit.
    pub limit: usize,
}

// === impl CgroupError ===

impl CgroupError {
    /// For `map_err`: what was tried, and on what.
    pub(crate) fn io<E: Into<io::Error>>(
        action: &'static str,
        path: &Path,
    ) -> impl FnOnce(E) -> Self {
        move |error| Self::Io {
            action,
            path: path.to_owned(),
            source: error.into(),
        }
    }
}

//! Who else lives in a network namespace. One that is a workload's alone may be cut off from all wires; one that it shares
//! with others may not.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::MetadataExt as _;

use enforcer_identity::{Cgroup, path_of_process};

/// What stands in the paths of Kubernetes' cgroups.
const PODS: &str = "kubepods";

/// The namespaces of processes in none of the given cgroups. Nothing is looked at before it is asked for.
pub(super) struct Strangers {
    homes: Vec<String>,
    found: Option<HashSet<u64>>,
}

impl Strangers {
    /// Everybody but the processes of these cgroups and, in a pod, the one that holds its namespaces.
    pub(super) fn among(cgroups: &[Cgroup]) -> Self {
        Self {
            homes: cgroups.iter().map(|cgroup| home(cgroup.path())).collect(),
            found: None,
        }
    }

    /// Whether one lives in the namespace with this inode.
    pub(super) fn live_in(&mut self, inode: u64) -> bool {
        let Self { homes, found } = self;
        found.get_or_insert_with(|| look(homes)).contains(&inode)
    }
}

/// A workload's own cgroup; of a container in a pod the pod's.
fn home(path: &str) -> String {
    match path.rsplit_once('/') {
        Some((pod, _)) if path.contains(PODS) && pod.contains(PODS) => pod.to_owned(),
        Some(_) | None => path.to_owned(),
    }
}

fn look(homes: &[String]) -> HashSet<u64> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let mut found = HashSet::new();
    for pid in pids {
        let Ok(about) = fs::metadata(format!("/proc/{pid}/ns/net")) else {
            continue;
        };
        if !found.contains(&about.ino()) && is_stranger(pid, homes) {
            found.insert(about.ino());
        }
    }
    found
}

/// One whose place cannot be seen has ended, or is a stranger.
fn is_stranger(pid: u32, homes: &[String]) -> bool {
    let Some(path) = path_of_process(pid) else {
        return fs::metadata(format!("/proc/{pid}/ns/net")).is_ok();
    };
    !homes.iter().any(|home| {
        path.strip_prefix(home.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_is_one_home() {
        assert_eq!(home("/kubepods/pod7/abc"), "/kubepods/pod7");
        assert_eq!(
            home("/kubepods.slice/kubepods-pod7.slice/cri-containerd-abc.scope"),
            "/kubepods.slice/kubepods-pod7.slice"
        );
        assert_eq!(home("/docker/abc"), "/docker/abc");
        assert_eq!(home("/kubepods"), "/kubepods");
    }

    #[test]
    fn whoever_is_outside_of_the_homes_is_a_stranger() {
        let own = std::process::id();
        let path = path_of_process(own).unwrap();
        assert!(!is_stranger(own, std::slice::from_ref(&path)));
        assert!(is_stranger(own, &["/nowhere".to_owned()]));
        assert!(is_stranger(own, &[format!("{path}x")]));
        assert!(!is_stranger(u32::MAX, &[]));
    }
}

//! What an enforcer before us laid over stores, and nobody takes care of any more.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use enforcer_kernel::{MountNamespace, MountNamespaceId};

use super::lay::lift;

/// Takes our copies off in every mount namespace but those of `kept` and our own. Returns how many there were.
///
/// # Errors
/// When the processes of this machine cannot be listed.
pub(crate) fn clean(covers: &Path, kept: &[MountNamespaceId]) -> anyhow::Result<usize> {
    let mut seen: HashSet<MountNamespaceId> = kept.iter().copied().collect();
    seen.insert(MountNamespaceId::current()?);
    let mut count = 0;
    for entry in fs::read_dir("/proc")?.flatten() {
        let pid = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok());
        let Some(pid) = pid else { continue };
        let Ok(namespace) = MountNamespaceId::of_process(pid) else {
            continue;
        };
        if !seen.insert(namespace) {
            continue;
        }
        // Processes come and go, and one that goes takes its mounts along.
        if let Ok(container) = MountNamespace::of_process(pid, None) {
            count += lift(covers, &container).unwrap_or(0);
        }
    }
    Ok(count)
}

//! Clears away what dead instances left pinned.

use std::fs;
use std::io;
use std::path::Path;

use enforcer_flow::CgroupId;

use crate::pins::{self, Pins};
use crate::{KernelError, cgroup};

/// Removes from `root`, a folder of folders that short-lived instances pin in, those whose instance is dead and whose
/// cgroups are gone or empty. Returns how many.
///
/// Not for a daemon's pins: an empty cgroup that an operator labelled must stay enforced for what enters it next.
///
/// # Errors
/// When `root` cannot be listed or a pin cannot be removed. That `root` is not there is no error.
pub fn prune(root: &Path) -> Result<usize, KernelError> {
    let entries = match fs::read_dir(root) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        entries => entries.map_err(|error| KernelError::file("list", root, error))?,
    };
    let cgroups = cgroup::mount()?;
    let _alone = pins::guard(root)?;
    let mut removed = 0;
    for entry in entries.flatten() {
        if let Some(pins) = Pins::lock(&entry.path())?
            && !pins.linked().into_iter().any(|id| inhabited(&cgroups, id))
        {
            pins.release()?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// Whether a cgroup may hold processes. What cannot be found out counts as inhabited.
fn inhabited(cgroups: &Path, id: CgroupId) -> bool {
    cgroup::populated(cgroups, id).unwrap_or_else(|error| {
        tracing::warn!(cgroup.id = %id, error = %error, "dead instance kept: its cgroup could not be looked at");
        true
    })
}

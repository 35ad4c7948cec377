//! Takes all programs off and removes every pin, of whoever of ours made them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::KernelError;
use crate::pins::{self, Pins};

/// The places below `root` that instances of ours pin in: `daemon`, and each of `runs`.
fn places(root: &Path) -> Vec<PathBuf> {
    let daemon = root.join("daemon");
    let runs = fs::read_dir(root.join("runs"))
        .into_iter()
        .flatten()
        .flatten();
    let runs = runs.map(|entry| entry.path());
    let all = daemon.exists().then_some(daemon).into_iter().chain(runs);
    all.collect()
}

/// The places below `root` whose instances run.
///
/// # Errors
/// When a place cannot be looked at.
pub fn running(root: &Path) -> Result<Vec<PathBuf>, KernelError> {
    let mut running = Vec::new();
    for place in places(root) {
        if Pins::lock(&place)?.is_none() {
            running.push(place);
        }
    }
    Ok(running)
}

/// Takes the programs of all instances off everything and removes `root`. Returns the places that were there.
///
/// # Errors
/// When one of them runs ([`KernelError::Busy`]: nothing was removed then), or something cannot be removed.
pub fn uninstall(root: &Path) -> Result<Vec<PathBuf>, KernelError> {
    if !root.exists() {
        return Ok(Vec::new());
    }
    let _alone = pins::guard(root)?;
    let places = places(root);
    let mut held = Vec::new();
    for place in &places {
        let busy = || KernelError::Busy {
            path: place.clone(),
        };
        held.push(Pins::lock(place)?.ok_or_else(busy)?);
    }
    for pins in held {
        pins.release()?;
    }
    for folder in [root.join("runs"), root.to_path_buf()] {
        match fs::remove_dir(&folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(KernelError::file("remove", &folder, error));
            }
            _ => {}
        }
    }
    Ok(places)
}

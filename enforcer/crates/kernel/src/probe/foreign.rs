//! Programs of others that run for a cgroup at the places ours hang at, on itself or on one above it. They run beside ours:
//! one that refuses is obeyed, and one that rewrites addresses after ours may lead somewhere else.

use std::fs::File;
use std::os::fd::AsFd as _;
use std::path::Path;

use crate::hooks::HOOKS;
use crate::{KernelError, inspect};

/// A program that is not ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stranger {
    /// Our program at the same place.
    pub beside: &'static str,
    /// Its id, as bpftool shows it.
    pub id: u32,
    /// Its name; empty when it has none.
    pub name: String,
}

/// The programs that hang on the cgroup that `dir` is and that have none of our names. Those of cgroups above it are asked
/// for there.
///
/// # Errors
/// When the cgroup cannot be opened, or the kernel does not say.
pub fn strangers(dir: &Path) -> Result<Vec<Stranger>, KernelError> {
    let folder = File::open(dir).map_err(|error| KernelError::file("open", dir, error))?;
    let mut found = Vec::new();
    for hook in HOOKS {
        let ids = inspect::own(folder.as_fd(), hook.attach_type)
            .map_err(|error| KernelError::call("asking for the programs of a cgroup", error))?;
        for id in ids {
            // One that went away since is nobody's trouble.
            let Ok(name) = inspect::program_name(id) else {
                continue;
            };
            if name != hook.name {
                found.push(Stranger {
                    beside: hook.name,
                    id,
                    name,
                });
            }
        }
    }
    Ok(found)
}

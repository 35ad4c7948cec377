//! Looks after the programs: whether each still hangs where it must, and is the one that we loaded.
//!
//! Nothing in a labelled cgroup can take a program off. What can is root, other software that thinks a place is its own, or
//! our own mistake; in each case it must be seen, and mended.

use std::fmt;
use std::fs;
use std::os::fd::AsFd as _;
use std::path::Path;

use enforcer_flow::CgroupId;

use crate::hooks::{HookPoint, LSM_CGROUP};
use crate::inspect::{self, LinkView};
use crate::programs::write_error;
use crate::{KernelError, Programs, cgroup, sys};

/// A program that is not where it must be.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Fault {
    /// The program.
    pub hook: &'static str,
    /// What is wrong.
    pub kind: FaultKind,
}

/// What is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// Its link hangs on nothing any more.
    Detached,
    /// Its link hangs on another cgroup, or at another place of this one.
    Elsewhere,
    /// Its link is there, and the kernel does not run it for the cgroup.
    Idle,
    /// There is no link.
    Missing,
    /// The cgroup is no workload to the programs.
    Unlabelled,
    /// Its link holds a program that is not ours.
    WrongProgram,
}

// === impl Programs ===

impl Programs {
    /// Looks at every program of a cgroup, which `cgroup_dir` must be.
    ///
    /// # Errors
    /// When the directory is not that cgroup, or the kernel does not say.
    pub fn verify(&self, cgroup_dir: &Path, id: CgroupId) -> Result<Vec<Fault>, KernelError> {
        let folder = cgroup::open_agent(cgroup_dir, id)?;
        let mut faults = Vec::new();
        if self.workloads.find(&id.0).map_err(write_error)?.is_none() {
            faults.push(Fault {
                hook: "workload",
                kind: FaultKind::Unlabelled,
            });
        }
        for (hook, program) in self.programs() {
            let ours = inspect::program_id(program.as_fd()).map_err(ask_error)?;
            let kind = match self.linked(id, *hook)? {
                None => Some(FaultKind::Missing),
                Some(LinkView { cgroup: 0, .. }) => Some(FaultKind::Detached),
                Some(link) if link.cgroup != id.0 || link.attach_type != hook.attach_type => {
                    Some(FaultKind::Elsewhere)
                }
                Some(link) if link.program != ours => Some(FaultKind::WrongProgram),
                Some(_) => {
                    let run = inspect::effective(folder.as_fd(), hook.attach_type);
                    let runs = run.map_err(ask_error)?.contains(&ours);
                    (!runs).then_some(FaultKind::Idle)
                }
            };
            faults.extend(kind.map(|kind| Fault {
                hook: hook.name,
                kind,
            }));
        }
        Ok(faults)
    }

    /// Puts back what [`Programs::verify`] found to be wrong.
    ///
    /// # Errors
    /// As [`Programs::attach`].
    pub fn mend(
        &self,
        cgroup_dir: &Path,
        id: CgroupId,
        faults: &[Fault],
    ) -> Result<(), KernelError> {
        for fault in faults {
            // The pin names a link that is not this cgroup's: it must be left alone, and ours made anew.
            if fault.kind == FaultKind::Elsewhere || fault.kind == FaultKind::Idle {
                let pin = self.pins().links(id).join(fault.hook);
                fs::remove_file(&pin).map_err(|error| KernelError::file("remove", &pin, error))?;
            }
        }
        self.attach(cgroup_dir, id)
    }

    /// The programs that a cgroup does without: they could not be attached, and others make up for them.
    #[must_use]
    pub fn left_out(&self, id: CgroupId) -> Vec<Fault> {
        let programs = self.programs().iter();
        programs
            .filter(|(hook, _)| hook.attach_type == LSM_CGROUP)
            .filter(|(hook, _)| !self.pins().links(id).join(hook.name).exists())
            .map(|(hook, _)| Fault {
                hook: hook.name,
                kind: FaultKind::Missing,
            })
            .collect()
    }

    /// How many programs hang on each cgroup.
    #[must_use]
    pub fn count(&self) -> usize {
        self.programs().len()
    }

    /// What hangs behind the pin of a program; none when there is no pin, or it is not one of a link.
    pub(crate) fn linked(
        &self,
        id: CgroupId,
        hook: HookPoint,
    ) -> Result<Option<LinkView>, KernelError> {
        match sys::open_pin(&self.pins().links(id).join(hook.name)) {
            Ok(link) => inspect::link(link.as_fd()).map_err(ask_error),
            Err(_) => Ok(None),
        }
    }
}

// === impl FaultKind ===

impl FaultKind {
    /// The stable word for the ledger.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Detached => "detached",
            Self::Elsewhere => "elsewhere",
            Self::Idle => "idle",
            Self::Missing => "missing",
            Self::Unlabelled => "unlabelled",
            Self::WrongProgram => "wrong_program",
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn ask_error(error: std::io::Error) -> KernelError {
    KernelError::call("asking about programs", error)
}

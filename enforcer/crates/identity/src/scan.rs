//! Every labelled cgroup of the machine, found by walking the tree.

use std::path::{Path, PathBuf};

use crate::cgroup::subdirectories;
use crate::label::is_gone;
use crate::{Cgroup, CgroupError, Hierarchy, Label, LabelError, Pattern};

#[cfg(test)]
mod tests;

/// How deep and how many directories are looked at.
const MAX_DEPTH: usize = 32;
const MAX_VISITED: usize = 65_536;

/// What a walk found. Level by level, so that a subtree with many directories hides nothing that is higher up, and never
/// below a labelled cgroup, so that an agent can neither label itself anew nor make the walk longer.
#[derive(Debug, Default)]
pub struct Scan {
    /// The labelled cgroups that may be served.
    pub labelled: Vec<(Cgroup, Label)>,
    /// Those that bear no label and that the configuration labels, unless an operator took a label off them.
    pub matched: Vec<(Cgroup, Label)>,
    /// Labels that are not honoured, and why: on the root, or on a cgroup that the enforcer is in.
    pub refused: Vec<(Cgroup, LabelError)>,
    /// How many directories could not be read. Those that vanished meanwhile are not counted.
    pub errors: u64,
    /// Whether the walk stopped at its bounds and may have missed something.
    pub truncated: bool,
}

/// What a walk goes by.
struct Walk<'w> {
    hierarchy: &'w Hierarchy,
    enforcer: Option<&'w Cgroup>,
    patterns: &'w [Pattern],
}

// === impl Hierarchy ===

impl Hierarchy {
    /// Finds every labelled cgroup, and every one that one of the patterns is about.
    #[must_use]
    pub fn scan(&self, patterns: &[Pattern]) -> Scan {
        let mut scan = Scan::default();
        // A process whose own place is not visible here is in none of the cgroups found here.
        let enforcer = self.of_process(std::process::id()).ok();
        let walk = Walk {
            hierarchy: self,
            enforcer: enforcer.as_ref(),
            patterns,
        };
        scan.walk(&walk, vec![self.mount().to_owned()]);
        scan
    }
}

// === impl Scan ===

impl Scan {
    /// What is labelled below one cgroup, itself not counted.
    pub(crate) fn of_below(hierarchy: &Hierarchy, cgroup: &Cgroup) -> Self {
        let mut scan = Self::default();
        let walk = Walk {
            hierarchy,
            enforcer: None,
            patterns: &[],
        };
        scan.walk(&walk, subdirectories(cgroup.dir()));
        scan
    }

    fn walk(&mut self, walk: &Walk<'_>, mut level: Vec<PathBuf>) {
        let mut visited = 0;
        for _ in 0..=MAX_DEPTH {
            let mut next = Vec::new();
            for dir in level {
                if visited == MAX_VISITED {
                    self.truncated = true;
                    return;
                }
                visited += 1;
                if self.visit(walk, &dir) {
                    next.extend(subdirectories(&dir));
                }
            }
            if next.is_empty() {
                return;
            }
            level = next;
        }
        self.truncated = true;
    }

    /// Looks at one directory and says whether to go on below it.
    fn visit(&mut self, walk: &Walk<'_>, dir: &Path) -> bool {
        let Walk {
            hierarchy,
            enforcer,
            patterns,
        } = walk;
        let read = || -> Result<(Cgroup, Option<Label>), CgroupError> {
            let cgroup = hierarchy.open(dir)?;
            let label = cgroup.read_label()?;
            Ok((cgroup, label))
        };
        match read() {
            Ok((cgroup, None)) => self.matches(walk, cgroup, patterns),
            Ok((cgroup, Some(label))) => match hierarchy.may_serve(&cgroup, *enforcer) {
                Ok(()) => {
                    self.labelled.push((cgroup, label));
                    false
                }
                Err(error) => {
                    self.refused.push((cgroup, error));
                    true
                }
            },
            Err(error) => {
                self.errors += u64::from(!is_gone(&error));
                false
            }
        }
    }

    /// Looks whether a pattern is about an unlabelled cgroup, and says whether to go on below it.
    fn matches(&mut self, walk: &Walk<'_>, cgroup: Cgroup, patterns: &[Pattern]) -> bool {
        let found = patterns
            .iter()
            .find_map(|pattern| pattern.label_of(cgroup.path()));
        let Some(label) = found.filter(|_| !cgroup.was_released()) else {
            return true;
        };
        match walk.hierarchy.may_serve(&cgroup, walk.enforcer) {
            Ok(()) => {
                self.matched.push((cgroup, label.clone()));
                false
            }
            Err(error) => {
                self.refused.push((cgroup, error));
                true
            }
        }
    }
}

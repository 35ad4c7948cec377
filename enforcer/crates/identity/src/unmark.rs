//! Takes every mark of ours off every cgroup, for when the enforcer leaves the machine.

use rustix::fs::{flistxattr, fremovexattr};
use rustix::io::Errno;

use crate::cgroup::subdirectories;
use crate::label::is_gone;
use crate::{Cgroup, CgroupError, Hierarchy};

/// What all our attributes begin with.
const PREFIX: &[u8] = b"trusted.enforcer.";
/// More than the names of all attributes of a cgroup take.
const ROOM: usize = 64 * 1024;

/// What taking off all marks came to.
#[derive(Debug, Default)]
pub struct Unmarked {
    /// The cgroups that had any.
    pub cgroups: Vec<String>,
    /// What could not be looked at or changed.
    pub errors: Vec<CgroupError>,
}

// === impl Hierarchy ===

impl Hierarchy {
    /// Takes our marks off all cgroups, those below labelled ones and in places where a label means nothing among them.
    #[must_use]
    pub fn unmark_all(&self) -> Unmarked {
        let mut done = Unmarked::default();
        let mut left = vec![self.mount().to_owned()];
        while let Some(dir) = left.pop() {
            match self
                .open(&dir)
                .and_then(|cgroup| unmark(&cgroup).map(|had| (cgroup, had)))
            {
                Ok((cgroup, true)) => done.cgroups.push(cgroup.path().to_string()),
                Ok((_, false)) => {}
                Err(error) if is_gone(&error) => continue,
                Err(error) => done.errors.push(error),
            }
            left.extend(subdirectories(&dir));
        }
        done
    }
}

/// Whether there were any.
fn unmark(cgroup: &Cgroup) -> Result<bool, CgroupError> {
    let mut names = vec![0_u8; ROOM];
    let failed = || CgroupError::io::<Errno>("take the marks off", cgroup.dir());
    let length = flistxattr(cgroup, names.as_mut_slice()).map_err(failed())?;
    let names = names.get(..length).unwrap_or_default();
    let mut had = false;
    for name in names.split(|byte| *byte == 0) {
        if !name.starts_with(PREFIX) {
            continue;
        }
        match fremovexattr(cgroup, name) {
            Ok(()) => had = true,
            Err(Errno::NODATA) => {}
            Err(error) => return Err(failed()(error)),
        }
    }
    Ok(had)
}

#[cfg(test)]
mod tests {
    use enforcer_flow::Stance;

    use crate::sandbox::Sandbox;
    use crate::{ATTRIBUTE, Label};

    #[test]
    fn no_mark_is_left_on_a_cgroup_wherever_it_stands() {
        let Some(sandbox) = Sandbox::new("unmark") else {
            return;
        };
        let label = Label::default().with_stance(Stance::Observe);
        let above = sandbox.child("above");
        sandbox.hierarchy.label(&above, &label).unwrap();
        let below = sandbox.child("above/below");
        rustix::fs::fsetxattr(&below, ATTRIBUTE, b"x", rustix::fs::XattrFlags::empty()).unwrap();
        // Other tests label cgroups of their own beside this; only these two are taken off here.
        for cgroup in [&above, &below] {
            assert!(super::unmark(cgroup).unwrap());
            assert!(!super::unmark(cgroup).unwrap(), "again it is no news");
            assert_eq!(cgroup.read_label().unwrap(), None);
        }
    }
}

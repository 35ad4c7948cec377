//! The label an operator puts on a cgroup: its presence means "enforce", its value names a policy.

use std::fmt;
use std::io;
use std::sync::Arc;

use enforcer_flow::{Principal, Stance};
use rustix::fs::XattrFlags;
use rustix::io::Errno;

use crate::{Cgroup, CgroupError, Hierarchy, LabelError, Scan};

#[cfg(test)]
mod tests;

/// The extended attribute. `trusted.` rather than `user.`, because only `CAP_SYS_ADMIN` may change it: an agent that owns a
/// delegated cgroup could take a `user.` label off, or name itself a milder policy, and wait for a restart.
pub const ATTRIBUTE: &str = "trusted.enforcer.policy";

/// The extended attribute beside it that has the workload only observed. Nobody but `CAP_SYS_ADMIN` may set it either.
pub const OBSERVE: &str = "trusted.enforcer.observe";
/// Its value. Any other one, and one that cannot be read, is as good as none: what is not understood loosens nothing.
const OBSERVED: &[u8] = b"1";

/// Longest policy name.
const MAX_NAME: usize = 128;
/// What stands for a value that names no policy; no policy can have this name, so everything is denied.
const UNREADABLE: &str = "(unreadable label)";

/// What a label says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Label {
    policy: Option<Arc<str>>,
    stance: Stance,
    principal: Option<Principal>,
}

// === impl Label ===

impl Label {
    /// A label that names a policy, or none. The empty name and `*` are none.
    ///
    /// # Errors
    /// When the text cannot name a policy.
    pub fn new(policy: Option<&str>) -> Result<Self, LabelError> {
        let policy = policy.filter(|name| !name.is_empty() && *name != "*");
        match policy {
            Some(name) if !is_name(name) => Err(LabelError::Policy {
                name: name.to_owned(),
            }),
            policy => Ok(Self {
                policy: policy.map(Arc::from),
                ..Self::default()
            }),
        }
    }

    /// The same with another stance. On a cgroup only [`Stance::Observe`] is written; a quarantine is kept by who orders it.
    #[must_use]
    pub fn with_stance(self, stance: Stance) -> Self {
        Self { stance, ..self }
    }

    /// The same for somebody on whose behalf the workload acts. That is the operator's word, and no login.
    #[must_use]
    pub fn with_principal(self, principal: Option<Principal>) -> Self {
        Self { principal, ..self }
    }

    /// For whom the workload works.
    #[must_use]
    pub fn principal(&self) -> Option<&Principal> {
        self.principal.as_ref()
    }

    /// How the workload is to be treated.
    #[must_use]
    pub fn stance(&self) -> Stance {
        self.stance
    }

    /// The policy it names; none means every policy that applies to the workload by its own terms.
    #[must_use]
    pub fn policy(&self) -> Option<&Arc<str>> {
        self.policy.as_ref()
    }

    /// Reads a value. What cannot be understood still is a label: the workload stays enforced, by a policy that is nowhere.
    fn from_value(value: &[u8]) -> Self {
        let known = std::str::from_utf8(value).ok();
        known
            .and_then(|text| Self::new(Some(text)).ok())
            .unwrap_or_else(|| Self {
                policy: Some(UNREADABLE.into()),
                ..Self::default()
            })
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.policy.as_deref().unwrap_or("*"))?;
        match self.stance {
            Stance::Enforce => Ok(()),
            Stance::Observe => f.write_str(" (observed)"),
            Stance::Quarantine => f.write_str(" (in quarantine)"),
        }
    }
}

// === impl Cgroup ===

impl Cgroup {
    /// The label on this very cgroup.
    ///
    /// # Errors
    /// When the attribute cannot be read, which is not the same as not being there.
    pub fn read_label(&self) -> Result<Option<Label>, CgroupError> {
        let mut value = [0_u8; MAX_NAME + 1];
        let label = match rustix::fs::fgetxattr(self, ATTRIBUTE, &mut value) {
            Ok(length) => Label::from_value(&value[..length]),
            Err(Errno::RANGE) => Label::from_value(&value),
            Err(Errno::NODATA) => return Ok(None),
            Err(error) => return Err(CgroupError::io("read the label of", self.dir())(error)),
        };
        let principal = self.provenance().attributes.principal.clone();
        let label = label.with_stance(self.read_stance());
        Ok(Some(label.with_principal(principal)))
    }

    fn read_stance(&self) -> Stance {
        let mut value = [0_u8; OBSERVED.len()];
        match rustix::fs::fgetxattr(self, OBSERVE, &mut value) {
            Ok(length) if value.get(..length) == Some(OBSERVED) => Stance::Observe,
            Ok(_) | Err(_) => Stance::Enforce,
        }
    }

    /// Sets or takes off the mark beside the label. It is never there without a reason: taken off before a stricter label is
    /// written, set after the label that it goes with.
    fn write_stance(&self, stance: Stance) -> Result<(), CgroupError> {
        let written = match stance {
            Stance::Observe => rustix::fs::fsetxattr(self, OBSERVE, OBSERVED, XattrFlags::empty()),
            Stance::Enforce | Stance::Quarantine => rustix::fs::fremovexattr(self, OBSERVE),
        };
        match written {
            Ok(()) | Err(Errno::NODATA) => Ok(()),
            Err(error) => Err(CgroupError::io("label", self.dir())(error)),
        }
    }

    fn write_label(&self, label: &Label) -> Result<(), CgroupError> {
        if label.stance != Stance::Observe {
            self.write_stance(label.stance)?;
        }
        // Before the label: whoever reads one finds for whom it is.
        self.write_principal(label.principal())?;
        let value = label.policy.as_deref().unwrap_or_default();
        rustix::fs::fsetxattr(self, ATTRIBUTE, value.as_bytes(), XattrFlags::empty())
            .map_err(CgroupError::io("label", self.dir()))?;
        if label.stance == Stance::Observe {
            self.write_stance(label.stance)?;
        }
        // A removed directory that is held open takes attributes too.
        if self.exists() {
            return Ok(());
        }
        Err(CgroupError::Missing {
            path: self.dir().to_owned(),
        })
    }
}

// === impl Hierarchy ===

impl Hierarchy {
    /// Puts a label on a cgroup, or changes it. Says nothing about enforcement, which is the daemon's.
    ///
    /// # Errors
    /// When the cgroup is the root, contains the calling process, is covered by or covers a labelled one, or the system
    /// says no.
    pub fn label(&self, cgroup: &Cgroup, label: &Label) -> Result<(), LabelError> {
        self.may_label(cgroup)?;
        Ok(cgroup.write_label(label)?)
    }

    /// Takes the label off and returns it; none when there was none.
    ///
    /// # Errors
    /// When the system says no.
    pub fn unlabel(&self, cgroup: &Cgroup) -> Result<Option<Label>, CgroupError> {
        let label = cgroup.read_label()?;
        cgroup.write_stance(Stance::Enforce)?;
        if label.is_some() {
            match rustix::fs::fremovexattr(cgroup, ATTRIBUTE) {
                Ok(()) | Err(Errno::NODATA) => {}
                Err(error) => return Err(CgroupError::io("unlabel", cgroup.dir())(error)),
            }
        }
        Ok(label)
    }

    /// Whether a cgroup may be given a label.
    ///
    /// # Errors
    /// As [`Hierarchy::label`].
    pub fn may_label(&self, cgroup: &Cgroup) -> Result<(), LabelError> {
        let enforcer = self.of_process(std::process::id())?;
        self.may_serve(cgroup, Some(&enforcer))?;
        self.none_above(cgroup)?;
        let found = Scan::of_below(self, cgroup);
        match found.labelled.first() {
            None => Ok(()),
            Some((labelled, _)) => Err(LabelError::Covers {
                path: cgroup.path().to_string(),
                labelled: labelled.path().to_string(),
            }),
        }
    }

    /// Whether hooks on this cgroup would leave the enforcer itself alone.
    pub(crate) fn may_serve(
        &self,
        cgroup: &Cgroup,
        enforcer: Option<&Cgroup>,
    ) -> Result<(), LabelError> {
        if cgroup.id() == self.root() {
            return Err(LabelError::Root);
        }
        match enforcer.filter(|enforcer| cgroup.contains(enforcer)) {
            None => Ok(()),
            Some(enforcer) => Err(LabelError::ContainsEnforcer {
                path: cgroup.path().to_string(),
                enforcer: enforcer.path().to_string(),
            }),
        }
    }

    fn none_above(&self, cgroup: &Cgroup) -> Result<(), LabelError> {
        let mut path: &str = cgroup.path();
        while let Some((above, _)) = path.rsplit_once('/').filter(|(above, _)| !above.is_empty()) {
            if self.open_below(above)?.read_label()?.is_some() {
                return Err(LabelError::Nested {
                    path: cgroup.path().to_string(),
                    labelled: above.to_owned(),
                });
            }
            path = above;
        }
        Ok(())
    }
}

fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte);
    name.len() <= MAX_NAME && name.bytes().all(allowed)
}

/// Whether reading failed because the cgroup went away, which is no fault.
pub(crate) fn is_gone(error: &CgroupError) -> bool {
    match error {
        CgroupError::Missing { .. } => true,
        CgroupError::Io { source, .. } => {
            let gone = [Errno::NOENT, Errno::NODEV].map(|errno| Some(errno.raw_os_error()));
            source.kind() == io::ErrorKind::NotFound || gone.contains(&source.raw_os_error())
        }
        CgroupError::Busy { .. }
        | CgroupError::Exists { .. }
        | CgroupError::Name { .. }
        | CgroupError::NotMounted
        | CgroupError::Partial { .. }
        | CgroupError::Unseen { .. } => false,
    }
}

//! Which workloads may connect unix sockets by name. Beside the command of `enforcer run`, which sees none of the host's, the
//! kernel can only let all of a workload's through or none, unless programs for its security modules fire: then those of
//! `unix_sockets.allow` are known, whatever their names, and the workload's own.

use std::path::PathBuf;

use enforcer_kernel::Programs;
use enforcer_kernel::unix::{self, UnixSockets};

/// The policies whose workloads may not connect what they like; `*` is all of them.
#[derive(Debug)]
pub(crate) struct UnixRefusals {
    policies: Vec<String>,
    /// What their workloads may connect all the same.
    allowed: Vec<PathBuf>,
}

impl UnixRefusals {
    /// For these policies, and with these sockets allowed.
    ///
    /// # Errors
    /// When there is any policy, and this kernel cannot refuse.
    pub(crate) fn new(policies: Vec<String>, allowed: Vec<PathBuf>) -> anyhow::Result<Self> {
        anyhow::ensure!(
            policies.is_empty() || unix::is_supported(),
            "`unix_sockets.refuse`: this kernel cannot refuse unix sockets, it takes Linux 6.7; take the key away, and keep \
             the host's sockets from agents by permissions or mount namespaces"
        );
        Ok(Self { policies, allowed })
    }

    /// What becomes of those of a workload whose label names this policy.
    pub(crate) fn of(&self, policy: Option<&str>) -> UnixSockets {
        let is_meant = |named: &String| named == "*" || Some(named.as_str()) == policy;
        if self.policies.iter().any(is_meant) {
            UnixSockets::Listed
        } else {
            UnixSockets::Open
        }
    }

    /// Tells the programs which files the allowed sockets are now.
    pub(crate) fn tell(&self, programs: &Programs) {
        let Self { policies, allowed } = self;
        if !policies.is_empty()
            && let Err(error) = programs.allow_unix_sockets(allowed)
        {
            tracing::error!(%error, "the sockets of `unix_sockets.allow` could not be told to the programs");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_workloads_of_the_named_policies_are_meant() {
        let of = |policy: &str| UnixRefusals {
            policies: vec![policy.to_owned()],
            allowed: Vec::new(),
        };
        let some = of("strict");
        assert_eq!(some.of(Some("strict")), UnixSockets::Listed);
        assert_eq!(some.of(Some("other")), UnixSockets::Open);
        assert_eq!(some.of(None), UnixSockets::Open);
        let all = of("*");
        assert_eq!(all.of(None), UnixSockets::Listed);
    }
}

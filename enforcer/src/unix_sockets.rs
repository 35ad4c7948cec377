//! Which workloads may connect unix sockets by name. Beside the command of `enforcer run`, which sees none of the host's, the
//! kernel can only let all of a workload's through or none.

use enforcer_kernel::unix::{self, UnixSockets};

/// The policies whose workloads may connect none; `*` is all of them.
#[derive(Debug)]
pub(crate) struct UnixRefusals(Vec<String>);

impl UnixRefusals {
    /// For these policies.
    ///
    /// # Errors
    /// When there is any, and this kernel cannot refuse.
    pub(crate) fn new(policies: Vec<String>) -> anyhow::Result<Self> {
        anyhow::ensure!(
            policies.is_empty() || unix::is_supported(),
            "`unix_sockets.refuse`: this kernel cannot refuse unix sockets, it takes Linux 6.7; take the key away, and keep \
             the host's sockets from agents by permissions or mount namespaces"
        );
        Ok(Self(policies))
    }

    /// What becomes of those of a workload whose label names this policy.
    pub(crate) fn of(&self, policy: Option<&str>) -> UnixSockets {
        let is_meant = |named: &String| named == "*" || Some(named.as_str()) == policy;
        if self.0.iter().any(is_meant) {
            UnixSockets::Refused
        } else {
            UnixSockets::Open
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_workloads_of_the_named_policies_are_meant() {
        let some = UnixRefusals(vec!["strict".to_owned()]);
        assert_eq!(some.of(Some("strict")), UnixSockets::Refused);
        assert_eq!(some.of(Some("other")), UnixSockets::Open);
        assert_eq!(some.of(None), UnixSockets::Open);
        let all = UnixRefusals(vec!["*".to_owned()]);
        assert_eq!(all.of(None), UnixSockets::Refused);
    }
}

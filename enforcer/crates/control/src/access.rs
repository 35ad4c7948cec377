//! Who is answered.

use crate::{Code, Peer, Problem};

/// Decides about a peer by what the kernel says of it.
pub struct Access {
    uids: Vec<u32>,
    is_agent: Box<dyn Fn(u32) -> bool + Send + Sync>,
}

impl Access {
    /// Root and the user this process runs as, unless the process is an agent: one that runs as root could otherwise take
    /// its own label off.
    #[must_use]
    pub fn operators(is_agent: impl Fn(u32) -> bool + Send + Sync + 'static) -> Self {
        Self {
            uids: vec![0, rustix::process::geteuid().as_raw()],
            is_agent: Box::new(is_agent),
        }
    }

    /// Says no, and why.
    pub(crate) fn check(&self, peer: Peer) -> Result<(), Problem> {
        let Self { uids, is_agent } = self;
        let refuse = |message| Err(Problem::new(Code::Forbidden, message));
        if !uids.contains(&peer.uid) {
            return refuse("only root and the enforcer's own user are answered here");
        }
        if peer.pid == 0 || is_agent(peer.pid) {
            return refuse("agents are not answered here");
        }
        Ok(())
    }

    #[cfg(test)]
    pub(crate) fn for_uids(uids: &[u32]) -> Self {
        Self {
            uids: uids.to_vec(),
            is_agent: Box::new(|_| false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_operators_are_answered() {
        let own = rustix::process::geteuid().as_raw();
        let access = Access::operators(|pid| pid == 66);
        let rows = [
            (0, 1, true),
            (own, 1, true),
            (own.wrapping_add(1), 1, false),
            (u32::MAX, 1, false),
            (0, 66, false),
            (0, 0, false),
        ];
        for (uid, pid, answered) in rows {
            let checked = access.check(Peer { uid, pid });
            assert_eq!(
                checked.is_ok(),
                answered,
                "uid {uid}, pid {pid}: {checked:?}"
            );
        }
    }
}

//! Who is answered.

use crate::{Code, Peer, Problem};

/// Decides about a peer by what the kernel says of it.
pub struct Access {
    uids: Vec<u32>,
    is_agent: Box<dyn Fn(u32) -> bool + Send + Sync>,
    tell: Box<dyn Fn(Peer) + Send + Sync>,
}

impl Access {
    /// Root and the user this process runs as, unless the process is an agent: one that runs as root could otherwise take
    /// its own label off.
    #[must_use]
    pub fn operators(is_agent: impl Fn(u32) -> bool + Send + Sync + 'static) -> Self {
        Self {
            uids: vec![0, rustix::process::geteuid().as_raw()],
            is_agent: Box::new(is_agent),
            tell: Box::new(|_| {}),
        }
    }

    /// With somebody to tell of each peer that is refused, on the thread that accepts.
    #[must_use]
    pub fn telling(self, tell: impl Fn(Peer) + Send + Sync + 'static) -> Self {
        Self {
            tell: Box::new(tell),
            ..self
        }
    }

    /// Says no, and why; whoever is to be told is.
    pub(crate) fn admit(&self, peer: Peer) -> Result<(), Problem> {
        self.check(peer).inspect_err(|_| (self.tell)(peer))
    }

    /// Says no, and why.
    fn check(&self, peer: Peer) -> Result<(), Problem> {
        let Self {
            uids,
            is_agent,
            tell: _,
        } = self;
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
            tell: Box::new(|_| {}),
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

    #[test]
    fn each_refused_peer_is_told_of() {
        let (told, heard) = std::sync::mpsc::channel();
        let access = Access::operators(|pid| pid == 66)
            .telling(move |peer| told.send((peer.uid, peer.pid)).unwrap_or_default());
        for pid in [1, 66, 2, 66] {
            let admitted = access.admit(Peer { uid: 0, pid });
            assert_eq!(admitted.is_ok(), pid != 66);
        }
        assert_eq!(heard.try_iter().collect::<Vec<_>>(), [(0, 66), (0, 66)]);
    }
}

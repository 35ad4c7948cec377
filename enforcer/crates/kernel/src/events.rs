//! What the programs refused, as it happens.

use std::net::SocketAddr;
use std::os::fd::{AsFd as _, OwnedFd};

use aya::maps::{MapData, RingBuf};
use enforcer_common::{Hook, KernelEvent, LOST_SLOTS, LostSlot, Reason, event_flag};
use enforcer_flow::{CgroupId, NetnsCookie, Process};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::origins::{address, process};
use crate::{KernelError, sys};

/// The stream of refusals. There is one reader.
pub struct Events {
    ring: AsyncFd<RingBuf<MapData>>,
    lost: OwnedFd,
    processors: usize,
}

/// One refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The hook that refused.
    pub hook: Hook,
    /// Why.
    pub reason: Reason,
    /// The labelled cgroup, if the task or socket was in one.
    pub cgroup: Option<CgroupId>,
    /// The network namespace, if it was known.
    pub netns: Option<NetnsCookie>,
    /// The process, as far as it was known: a dropped packet has only its socket's last known user, or none.
    pub process: Process,
    /// IP protocol number, or Linux's own above 255.
    pub protocol: u32,
    /// Where it was to go, if anywhere.
    pub dst: Option<SocketAddr>,
    /// Whether it was let past all the same, because the workload is only observed.
    pub let_past: bool,
}

/// Events that happened but were not sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lost {
    /// The ring had no room: the reader was too slow.
    pub full: u64,
    /// A workload caused more than its share in a second.
    pub suppressed: u64,
}

// === impl Events ===

impl Events {
    pub(crate) fn new(ring: RingBuf<MapData>, lost: OwnedFd) -> Result<Self, KernelError> {
        let processors = aya::util::nr_cpus()
            .map_err(|(path, error)| KernelError::file("read", path.as_ref(), error))?;
        // SAFETY: the ring owns its descriptor, never changes it, and lives as long as the registration.
        let ring = unsafe { AsyncFd::register_with_interest(ring, Interest::READABLE) }
            .map_err(|error| KernelError::call("watching the events", error))?;
        Ok(Self {
            ring,
            lost,
            processors,
        })
    }

    /// Waits for the next refusal. Giving up waiting loses nothing.
    ///
    /// # Errors
    /// When the ring can no longer be watched.
    pub async fn next(&mut self) -> Result<Refused, KernelError> {
        loop {
            let guard = self.ring.readable_mut().await;
            let mut guard =
                guard.map_err(|error| KernelError::call("watching the events", error))?;
            while let Some(item) = guard.get_inner_mut().next() {
                if let Some(refused) = decode(&item) {
                    return Ok(refused);
                }
                tracing::warn!(length = item.len(), "kernel event could not be read");
            }
            guard.clear_ready();
        }
    }

    /// How many events were not sent since the maps were made.
    ///
    /// # Errors
    /// When the counters cannot be read.
    pub fn lost(&self) -> Result<Lost, KernelError> {
        Ok(Lost {
            full: self.sum(LostSlot::Full)?,
            suppressed: self.sum(LostSlot::Suppressed)?,
        })
    }

    fn sum(&self, slot: LostSlot) -> Result<u64, KernelError> {
        let index = slot as u32;
        debug_assert!(index < LOST_SLOTS);
        let mut counts = vec![0_u64; self.processors];
        let (key, room) = (
            std::ptr::from_ref(&index).cast(),
            counts.as_mut_ptr().cast(),
        );
        // SAFETY: the key is four bytes, and there is room for eight bytes for each possible processor.
        unsafe { sys::lookup(self.lost.as_fd(), key, room) }
            .map_err(|error| KernelError::call("reading the count of lost events", error))?;
        Ok(counts.iter().sum())
    }
}

/// What is in a ring now.
pub(crate) fn drain(mut ring: RingBuf<MapData>) -> Vec<Refused> {
    let mut found = Vec::new();
    while let Some(item) = ring.next() {
        found.extend(decode(&item));
    }
    found
}

/// Reads one record; `None` when it is not one of ours.
fn decode(bytes: &[u8]) -> Option<Refused> {
    let bytes: &[u8; size_of::<KernelEvent>()] = bytes.try_into().ok()?;
    // SAFETY: the size is right, every bit pattern is a value, and the read does not ask for alignment.
    let event = unsafe { bytes.as_ptr().cast::<KernelEvent>().read_unaligned() };
    let KernelEvent {
        cgroup,
        netns,
        ip,
        comm,
        pid,
        uid,
        protocol,
        family: _,
        port,
        hook,
        reason,
        flags,
        reserved: _,
    } = event;
    Some(Refused {
        hook: Hook::try_from(hook).ok()?,
        reason: Reason::try_from(reason).ok()?,
        cgroup: (cgroup != 0).then_some(CgroupId(cgroup)),
        netns: (netns != 0).then_some(NetnsCookie(netns)),
        process: process(pid, uid, &comm),
        protocol,
        dst: (port != 0 || !ip.is_any()).then(|| address(&ip, port)),
        let_past: flags & event_flag::LET_PAST != 0,
    })
}

#[cfg(test)]
mod tests {
    use enforcer_common::Address;

    use super::*;

    fn bytes(event: KernelEvent) -> [u8; size_of::<KernelEvent>()] {
        // SAFETY: the structure has no padding, so all its bytes are there to be read.
        unsafe { std::mem::transmute(event) }
    }

    fn event() -> KernelEvent {
        KernelEvent {
            cgroup: 5,
            netns: 6,
            ip: Address::v4(u32::from_ne_bytes([192, 0, 2, 1])),
            comm: *b"python3\0\0\0\0\0\0\0\0\0",
            pid: 7,
            uid: 8,
            protocol: 17,
            family: 2,
            port: 443,
            hook: Hook::Connect4 as u8,
            reason: Reason::Protocol as u8,
            flags: 0,
            reserved: [0; 5],
        }
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let refused = decode(&bytes(event())).unwrap();
        assert_eq!(
            (refused.hook, refused.reason),
            (Hook::Connect4, Reason::Protocol)
        );
        assert_eq!(refused.cgroup, Some(CgroupId(5)));
        assert_eq!(refused.netns, Some(NetnsCookie(6)));
        assert_eq!(&*refused.process.comm, "python3");
        assert_eq!(refused.dst, Some("192.0.2.1:443".parse().unwrap()));
    }

    #[test]
    fn what_was_not_known_is_absent() {
        let refused = decode(&bytes(KernelEvent {
            cgroup: 0,
            netns: 0,
            ip: Address::NONE,
            port: 0,
            ..event()
        }));
        let refused = refused.unwrap();
        assert_eq!(
            (refused.cgroup, refused.netns, refused.dst),
            (None, None, None)
        );
    }

    #[test]
    fn a_record_of_another_layout_is_not_read() {
        assert_eq!(decode(&bytes(event())[..71]), None);
        assert_eq!(decode(&[]), None);
        assert_eq!(decode(&bytes(KernelEvent { hook: 0, ..event() })), None);
        assert_eq!(
            decode(&bytes(KernelEvent {
                reason: 99,
                ..event()
            })),
            None
        );
    }
}

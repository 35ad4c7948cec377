//! Seals the wires of a workload's network namespace: on the far side of each, outside of the workload's reach, a pinned
//! program drops all that comes out. Nothing of what an agent may do needs its wires, because it is served on its own
//! loopback; what leaves by a wire has gone round the cgroup's hooks.
//!
//! A device that is no wire (macvlan, a card that was moved in) has no far side. The program then hangs on its own side,
//! where it sees all but what a packet socket sends past the queues (`PACKET_QDISC_BYPASS`, packet(7)).

use std::collections::HashSet;
use std::fs;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::path::{Path, PathBuf};

use enforcer_common::SealEntry;
use enforcer_flow::{CgroupId, NetnsCookie};

use crate::devices::{Device, Devices};
use crate::netns::within;
use crate::programs::write_error;
use crate::{KernelError, Netns, Programs, link, pins, sys};

/// `BPF_TCX_INGRESS` of linux/bpf.h.
pub(crate) const INGRESS: u32 = 46;
/// `BPF_TCX_EGRESS`.
const EGRESS: u32 = 47;

/// A namespace whose wires are kept sealed. Dropping it leaves them so.
pub struct Seal {
    devices: Devices,
    netns: NetnsCookie,
    workload: CgroupId,
    sealed: Sealed,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sealed {
    /// Wires that end at a program on their far side.
    pub far: usize,
    /// Devices whose own side alone could be sealed: they are no wires, or the far side is where nobody lives.
    pub own: usize,
}

// === impl Programs ===

impl Programs {
    /// Seals all wires of a namespace, which must be the workload's own. What a predecessor sealed is taken over.
    ///
    /// # Errors
    /// When the kernel is older than 6.6 and cannot ([`KernelError::Tcx`]), or the devices cannot be listed.
    pub fn seal(&self, netns: &Netns, workload: CgroupId) -> Result<Seal, KernelError> {
        let mut seal = Seal {
            devices: Devices::of(netns)?,
            netns: netns.cookie(),
            workload,
            sealed: Sealed::default(),
        };
        seal.renew(self, netns)?;
        Ok(seal)
    }

    /// Takes the programs off the wires of a namespace; it need not have any.
    ///
    /// # Errors
    /// When a program cannot be taken off or a pin cannot be removed.
    pub fn unseal(&self, netns: NetnsCookie) -> Result<(), KernelError> {
        let folder = self.pins().seals(netns);
        for pin in pinned(&folder) {
            self.break_seal(&pin)?;
        }
        pins::remove(&folder)
    }

    /// The namespaces with sealed wires, a predecessor's among them.
    #[must_use]
    pub fn sealed(&self) -> Vec<NetnsCookie> {
        self.pins().sealed()
    }

    /// How many packets the seals of a workload have dropped since they were made.
    ///
    /// # Errors
    /// When the map cannot be read.
    pub fn dropped_at_seals(&self, workload: CgroupId) -> Result<u64, KernelError> {
        let mut dropped = 0;
        for key in self.seals().keys().map_err(write_error)? {
            let entry = self.seals().find(&key).map_err(write_error)?;
            dropped += entry
                .filter(|entry| entry.cgroup == workload.0)
                .map_or(0, |entry| entry.dropped);
        }
        Ok(dropped)
    }

    fn break_seal(&self, pin: &Path) -> Result<(), KernelError> {
        link::unpin(pin)?;
        match index_in(pin) {
            Some(index) => self.seals().remove(&index).map_err(write_error),
            None => Ok(()),
        }
    }
}

// === impl Seal ===

impl Seal {
    /// Seals what came since, if anything did.
    ///
    /// # Errors
    /// As [`Programs::seal`]; what was sealed stays so.
    pub fn follow(&mut self, programs: &Programs, netns: &Netns) -> Result<(), KernelError> {
        if self.devices.have_changed() {
            self.renew(programs, netns)?;
        }
        Ok(())
    }

    /// What is sealed.
    #[must_use]
    pub fn sealed(&self) -> Sealed {
        self.sealed
    }

    fn renew(&mut self, programs: &Programs, netns: &Netns) -> Result<(), KernelError> {
        let folder = programs.pins().seals(self.netns);
        pins::create(&folder)?;
        let mut kept = HashSet::new();
        let mut sealed = Sealed::default();
        for device in self.devices.list()? {
            let pin = self.hang(programs, netns, device)?;
            match is_far(&pin) {
                true => sealed.far += 1,
                false => sealed.own += 1,
            }
            kept.insert(pin);
        }
        for pin in pinned(&folder) {
            if !kept.contains(&pin) {
                programs.break_seal(&pin)?;
            }
        }
        self.sealed = sealed;
        Ok(())
    }

    /// Hangs the program on the far side if there is one, else on the near one.
    fn hang(
        &mut self,
        programs: &Programs,
        netns: &Netns,
        device: Device,
    ) -> Result<PathBuf, KernelError> {
        let folder = programs.pins().seals(self.netns);
        let index = match device {
            Device::Wire { index, far, place } => {
                let pin = folder.join(format!("far-{far}-{index}"));
                if let Some(place) = self.devices.place(place)? {
                    self.enter(programs, far)?;
                    let program = programs.seal_program();
                    within(place.as_fd(), || hang(program, far, INGRESS, &pin))?;
                    return Ok(pin);
                }
                index
            }
            Device::Other { index } => index,
        };
        let pin = folder.join(format!("own-{index}"));
        self.enter(programs, index)?;
        let program = programs.seal_program();
        within(netns.as_fd(), || hang(program, index, EGRESS, &pin))?;
        Ok(pin)
    }

    fn enter(&self, programs: &Programs, index: u32) -> Result<(), KernelError> {
        let key = u64::from(index);
        let known = programs.seals().find(&key).map_err(write_error)?;
        let entry = SealEntry {
            cgroup: self.workload.0,
            netns: self.netns.0,
            dropped: known
                .filter(|entry| entry.netns == self.netns.0)
                .map_or(0, |entry| entry.dropped),
        };
        programs.seals().set(&key, &entry).map_err(write_error)
    }
}

fn hang(program: BorrowedFd<'_>, device: u32, side: u32, pin: &Path) -> Result<(), KernelError> {
    link::renew(program, pin, || sys::link_create_at(program, device, side))
        .map(drop)
        .map_err(|error| match error {
            KernelError::Call { source, .. } if source.raw_os_error() == Some(libc::EINVAL) => {
                KernelError::Tcx
            }
            error => error,
        })
}

fn pinned(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

fn is_far(pin: &Path) -> bool {
    pin.file_name()
        .is_some_and(|name| name.as_encoded_bytes().starts_with(b"far-"))
}

/// The index of the device that a pinned program hangs on.
fn index_in(pin: &Path) -> Option<u64> {
    pin.file_name()?.to_str()?.split('-').nth(1)?.parse().ok()
}

/// Whether programs can be held on devices by links: tried, by having one drop a datagram in a namespace made for it.
///
/// # Errors
/// When it cannot be tried, for lack of rights above all.
pub fn probe_tcx() -> Result<bool, KernelError> {
    let failed = |error| KernelError::call("trying a program on a device", error);
    // Drops everything: the value of TCX_DROP, and the end.
    let program = sys::program_load(
        sys::SCHED_CLS,
        &[[0xb7, 0, 0, 0, 2, 0, 0, 0], [0x95, 0, 0, 0, 0, 0, 0, 0]],
    )
    .map_err(failed)?;
    let netns = Netns::isolated()?;
    within(netns.as_fd(), || {
        let arrives = || -> io::Result<bool> {
            let there = std::net::UdpSocket::bind("127.0.0.1:0")?;
            there.set_read_timeout(Some(std::time::Duration::from_millis(200)))?;
            let here = std::net::UdpSocket::bind("127.0.0.1:0")?;
            here.send_to(b"x", there.local_addr()?)?;
            Ok(there.recv(&mut [0; 1]).is_ok())
        };
        if !arrives().map_err(failed)? {
            return Err(failed(io::Error::other("loopback carries nothing")));
        }
        let Ok(_link) = sys::link_create_at(program.as_fd(), 1, INGRESS) else {
            return Ok(false);
        };
        arrives().map(|arrives| !arrives).map_err(failed)
    })
}

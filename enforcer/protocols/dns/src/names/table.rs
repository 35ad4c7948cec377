//! One workload's names. Pure: the time is told, nothing is awaited.
//!
//! A table is a row of slots. Slot `n` owns, once and for ever, the `n`-th address from the table's start in either range,
//! so leading an address back to its slot is arithmetic. Slots that hold a name are chained by how recently it was used;
//! slots whose name has left wait in a queue until their addresses may stand for another.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use enforcer_flow::Host;

use super::{Exhausted, Family, range};

/// The bounds of a table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// How many names it holds at once.
    pub(super) names: u32,
    /// How many addresses of each family it uses; those that no name has are on hold.
    pub(super) addresses: u16,
    /// How long after its last use an address stands for no other name.
    pub(super) hold: Duration,
}

/// Where in the ranges a table begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seed {
    /// The first place in the IPv4 range; the following wrap around.
    start: u32,
    /// The random part of its IPv6 addresses.
    tag: u64,
}

/// The names of one workload.
#[derive(Debug)]
pub(super) struct Table {
    limits: Limits,
    seed: Seed,
    by_name: HashMap<Host, u16>,
    slots: Vec<Slot>,
    /// Slots without a name, in the order of their last use.
    held: VecDeque<u16>,
    /// The ends of the chain of slots with a name.
    newest: Option<u16>,
    oldest: Option<u16>,
}

/// A pair of addresses, and the name they stand for.
#[derive(Debug)]
struct Slot {
    name: Option<Host>,
    used: Instant,
    newer: Option<u16>,
    older: Option<u16>,
}

// === impl Seed ===

impl Seed {
    /// Takes 64 random bits.
    pub(super) fn new(random: u64) -> Self {
        // The low bits of the tag are not used in addresses, so the two parts are independent but for 2 of 48 bits.
        let places = u64::from(range::PLACES);
        let start = u32::try_from((random & 0x3_ffff) % places).unwrap_or_default();
        Self { start, tag: random }
    }
}

// === impl Table ===

impl Table {
    /// An empty table.
    pub(super) fn new(limits: Limits, seed: Seed) -> Self {
        Self {
            limits,
            seed,
            by_name: HashMap::new(),
            slots: Vec::new(),
            held: VecDeque::new(),
            newest: None,
            oldest: None,
        }
    }

    /// The address of a name: the one it has, or a new one if any is free.
    pub(super) fn assign(
        &mut self,
        name: &Host,
        family: Family,
        now: Instant,
    ) -> Result<IpAddr, Exhausted> {
        if let Some(&at) = self.by_name.get(name) {
            self.touch(at, now);
            return Ok(self.address(at, family));
        }
        let at = self.free(now)?;
        if self.by_name.len() >= self.limits.names as usize {
            self.evict();
        }
        self.by_name.insert(name.clone(), at);
        self.slot(at).name = Some(name.clone());
        self.slot(at).used = now;
        self.link(at);
        Ok(self.address(at, family))
    }

    /// The name an address stands for. Asking counts as a use: the asker is about to connect.
    pub(super) fn name_of(&mut self, addr: IpAddr, now: Instant) -> Option<Host> {
        let at = self.slot_of(addr)?;
        let name = self.slots.get(usize::from(at))?.name.clone()?;
        self.touch(at, now);
        Some(name)
    }

    /// A slot whose addresses stand for nothing and are remembered by nobody. New ones first: the longer ago an address
    /// was used, the better.
    fn free(&mut self, now: Instant) -> Result<u16, Exhausted> {
        if let Some(at) = u16::try_from(self.slots.len())
            .ok()
            .filter(|at| *at < self.limits.addresses)
        {
            self.slots.push(Slot {
                name: None,
                used: now,
                newer: None,
                older: None,
            });
            return Ok(at);
        }
        let at = *self.held.front().ok_or(Exhausted)?;
        let used = self.slot(at).used;
        if now.saturating_duration_since(used) < self.limits.hold {
            return Err(Exhausted);
        }
        self.held.pop_front();
        Ok(at)
    }

    /// Takes the name that was used longest ago out of the table and puts its addresses on hold.
    fn evict(&mut self) {
        let Some(at) = self.oldest else { return };
        self.unlink(at);
        if let Some(name) = self.slot(at).name.take() {
            self.by_name.remove(&name);
        }
        self.held.push_back(at);
    }

    fn touch(&mut self, at: u16, now: Instant) {
        self.unlink(at);
        self.slot(at).used = now;
        self.link(at);
    }

    /// Puts a slot at the newest end of the chain.
    fn link(&mut self, at: u16) {
        let older = self.newest.replace(at);
        self.slot(at).older = older;
        self.slot(at).newer = None;
        match older {
            Some(older) => self.slot(older).newer = Some(at),
            None => self.oldest = Some(at),
        }
    }

    /// Takes a slot out of the chain.
    fn unlink(&mut self, at: u16) {
        let (newer, older) = (self.slot(at).newer.take(), self.slot(at).older.take());
        match newer {
            Some(newer) => self.slot(newer).older = older,
            None => self.newest = older,
        }
        match older {
            Some(older) => self.slot(older).newer = newer,
            None => self.oldest = newer,
        }
    }

    /// Slot numbers come from this table only, and slots are never removed.
    fn slot(&mut self, at: u16) -> &mut Slot {
        &mut self.slots[usize::from(at)]
    }

    fn address(&self, at: u16, family: Family) -> IpAddr {
        match family {
            Family::V4 => range::v4((self.seed.start + u32::from(at)) % range::PLACES).into(),
            Family::V6 => range::v6(self.seed.tag, at).into(),
        }
    }

    fn slot_of(&self, addr: IpAddr) -> Option<u16> {
        match addr.to_canonical() {
            IpAddr::V4(addr) => {
                let from_start = range::place(addr)? + range::PLACES - self.seed.start;
                u16::try_from(from_start % range::PLACES).ok()
            }
            IpAddr::V6(addr) => range::number(self.seed.tag, addr),
        }
    }
}

#[cfg(test)]
mod tests;

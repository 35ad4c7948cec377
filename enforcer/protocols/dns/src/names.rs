//! Which address stands for which name: one table per workload, so that no workload learns of another's lookups and a
//! later flow to a synthetic address can be judged by the name that was asked for.
//!
//! The resolver assigns, the proxy reads on every new flow. Tables are bounded; a name keeps its address for as long as it
//! is in the table, and an address that stood for one name stands for no other until nobody can be holding it any more.
//! Nothing is kept on disk: see [`Names::new`] for what that means after a restart.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use enforcer_flow::{CgroupId, Host};

mod range;
mod table;

use table::{Limits, Seed, Table};

/// How long an answer may be remembered, in seconds.
pub const TTL: u32 = 60;

/// How long beyond its TTL an address is held back for clients that remember longer than they may.
const GRACE: Duration = Duration::from_secs(240);

/// Bounds of one workload's table: 8,192 names, and four times as many addresses, so that a name can leave the table
/// 80 times a second before addresses run out. About 2 MiB when a workload uses it all.
const LIMITS: Limits = Limits {
    names: 8192,
    addresses: 32_768,
    hold: Duration::from_secs(TTL as u64).saturating_add(GRACE),
};

/// The two kinds of address a name has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// From 198.18.0.0/15, the range for benchmarks (RFC 2544), which no network routes.
    V4,
    /// From a unique local prefix (RFC 4193) of the enforcer's own.
    V6,
}

/// No address is free: every one stands for a name, or did until a moment ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("every synthetic address of the workload is in use")]
pub struct Exhausted;

/// The tables of all workloads.
#[derive(Debug)]
pub struct Names {
    tables: RwLock<HashMap<CgroupId, Mutex<Table>>>,
    /// Real addresses that observed workloads were told, and the name each was told for last.
    told: RwLock<HashMap<CgroupId, HashMap<IpAddr, Host>>>,
    random: RandomState,
}

// === impl Names ===

impl Names {
    /// Empty tables, each of which will begin at a random place of the address ranges.
    ///
    /// After a restart agents may still hold addresses that the enforcer before gave out, and nothing is known of those.
    /// Most are met by no table entry: such a flow has no name and is refused, and the agent asks anew. An old IPv4 address
    /// stands for another name only if the new table, which begins at a random one of 130,048 places and goes on from
    /// there, has come past it: with 20 names in use a chance of 1 in 6,500 for each flow to an old address, and never for
    /// IPv6, where 48 bits of every address are random. Even then nothing is reached that policy does not allow this
    /// workload by the new name; and where the protocol says whom it wants (TLS, HTTP), the disagreement is refused. What
    /// remains are opaque protocols, which may for the life of one stale cache entry reach the wrong one of two hosts
    /// that are both allowed. Beginning at a fixed place would make that the rule: the same first addresses would go to
    /// whatever names come first.
    #[must_use]
    #[expect(
        clippy::new_without_default,
        reason = "two tables are never interchangeable, which a default would suggest"
    )]
    pub fn new() -> Self {
        Self {
            tables: RwLock::default(),
            told: RwLock::default(),
            random: RandomState::new(),
        }
    }

    /// The address that stands for a name in a workload: the one it has, or a new one.
    ///
    /// When the table is full, the name that has been out of use for longest leaves it.
    ///
    /// # Errors
    /// When no address is free. Nothing has changed then.
    pub fn assign(
        &self,
        workload: CgroupId,
        name: &Host,
        family: Family,
    ) -> Result<IpAddr, Exhausted> {
        let now = now();
        let tables = self.tables.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(table) = tables.get(&workload) {
            return lock(table).assign(name, family, now);
        }
        drop(tables);
        let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        let table = tables
            .entry(workload)
            .or_insert_with(|| Mutex::new(Table::new(LIMITS, self.seed(workload))));
        lock(table).assign(name, family, now)
    }

    /// Notes that an observed workload was told a real address. Other names may have it too, so it only tells what the
    /// workload most likely means by it.
    pub(crate) fn note_real(&self, workload: CgroupId, addr: IpAddr, name: &Host) {
        let mut told = self.told.write().unwrap_or_else(PoisonError::into_inner);
        let told = told.entry(workload).or_default();
        if told.len() >= LIMITS.names as usize {
            told.clear();
        }
        told.insert(addr.to_canonical(), name.clone());
    }

    /// The name that an address stands for in a workload. None for addresses that are not ours and that it was not told, and
    /// for those of another workload.
    #[must_use]
    pub fn name_of(&self, workload: CgroupId, addr: IpAddr) -> Option<Host> {
        if !Self::is_synthetic(addr) {
            let told = self.told.read().unwrap_or_else(PoisonError::into_inner);
            return told.get(&workload)?.get(&addr.to_canonical()).cloned();
        }
        let tables = self.tables.read().unwrap_or_else(PoisonError::into_inner);
        let table = tables.get(&workload)?;
        lock(table).name_of(addr, now())
    }

    /// Whether an address lies in the ranges that only the enforcer gives out, mapped to a name or not.
    #[must_use]
    pub fn is_synthetic(addr: IpAddr) -> bool {
        range::holds(addr)
    }

    /// Forgets a workload's names. To be called when its cgroup is gone: a cgroup id never comes back.
    pub fn forget(&self, workload: CgroupId) {
        let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        tables.remove(&workload);
        let mut told = self.told.write().unwrap_or_else(PoisonError::into_inner);
        told.remove(&workload);
    }

    /// Not secret, only different for each start and workload, so the standard library's keyed hash will do.
    fn seed(&self, workload: CgroupId) -> Seed {
        Seed::new(self.random.hash_one((workload, now())))
    }
}

/// A table is never left half changed, so one whose holder panicked is as good as any.
fn lock(table: &Mutex<Table>) -> MutexGuard<'_, Table> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Tokio's clock, which tests can stop; outside a runtime it is the system's.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGENT: CgroupId = CgroupId(1);
    const OTHER: CgroupId = CgroupId(2);

    fn host(text: &str) -> Host {
        Host::parse(text).unwrap()
    }

    #[test]
    fn a_name_keeps_its_addresses_and_they_lead_back_to_it() {
        let names = Names::new();
        let name = host("api.example");
        for family in [Family::V4, Family::V6] {
            let addr = names.assign(AGENT, &name, family).unwrap();
            assert!(Names::is_synthetic(addr));
            assert_eq!(addr.is_ipv4(), family == Family::V4);
            assert_eq!(names.assign(AGENT, &name, family), Ok(addr));
            assert_eq!(names.name_of(AGENT, addr), Some(name.clone()));
        }
    }

    #[test]
    fn an_address_means_nothing_to_another_workload() {
        let names = Names::new();
        let addr = names.assign(AGENT, &host("a.example"), Family::V4).unwrap();
        assert_eq!(names.name_of(OTHER, addr), None);
        names.assign(OTHER, &host("b.example"), Family::V4).unwrap();
        assert_ne!(names.name_of(OTHER, addr), Some(host("a.example")));
    }

    #[test]
    fn a_real_address_tells_its_workload_what_it_was_told_for() {
        let names = Names::new();
        let addr: IpAddr = "192.0.2.1".parse().unwrap();
        names.note_real(AGENT, addr, &host("a.example"));
        assert_eq!(names.name_of(AGENT, addr), Some(host("a.example")));
        assert_eq!(names.name_of(OTHER, addr), None);
        names.forget(AGENT);
        assert_eq!(names.name_of(AGENT, addr), None);
    }

    #[test]
    fn a_forgotten_workload_has_no_names() {
        let names = Names::new();
        let addr = names.assign(AGENT, &host("a.example"), Family::V6).unwrap();
        names.forget(AGENT);
        assert_eq!(names.name_of(AGENT, addr), None);
    }

    #[test]
    fn every_start_begins_elsewhere() {
        let first = |names: &Names| {
            [Family::V4, Family::V6].map(|f| names.assign(AGENT, &host("a.example"), f).unwrap())
        };
        let starts: Vec<_> = (0..8).map(|_| first(&Names::new())).collect();
        assert!(starts.iter().any(|s| s[0] != starts[0][0]), "{starts:?}");
        assert!(starts.iter().any(|s| s[1] != starts[0][1]), "{starts:?}");
    }

    #[test]
    fn addresses_of_others_are_not_synthetic() {
        for text in [
            "198.17.255.255",
            "198.20.0.0",
            "127.0.0.1",
            "::1",
            "fd00::1",
        ] {
            let addr: IpAddr = text.parse().unwrap();
            assert!(!Names::is_synthetic(addr), "{text}");
            assert_eq!(Names::new().name_of(AGENT, addr), None);
        }
    }

    #[test]
    fn mapped_addresses_are_taken_for_what_they_map() {
        let names = Names::new();
        let name = host("a.example");
        let IpAddr::V4(addr) = names.assign(AGENT, &name, Family::V4).unwrap() else {
            panic!("an IPv4 address was asked for");
        };
        let mapped = IpAddr::V6(addr.to_ipv6_mapped());
        assert_eq!(names.name_of(AGENT, mapped), Some(name));
    }
}

//! A bounded map from host to configuration: least recently used out first, one making per host at a time.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::SystemTime;

use enforcer_flow::Host;
use rustls::ServerConfig;

use crate::TlsError;
use crate::leaf::Span;

pub(super) struct Cache {
    capacity: NonZeroUsize,
    slots: RwLock<HashMap<Host, Arc<Slot>>>,
    /// Counts uses; a slot remembers the count of its last.
    clock: AtomicU64,
}

struct Slot {
    span: Span,
    used: AtomicU64,
    /// Empty until made, and for good when making failed.
    config: OnceLock<Option<Arc<ServerConfig>>>,
}

// === impl Cache ===

impl Cache {
    pub(super) fn new(capacity: NonZeroUsize) -> Self {
        Self {
            capacity,
            slots: RwLock::default(),
            clock: AtomicU64::new(0),
        }
    }

    /// The configuration for `host`, made by `make` unless there is one that serves at `now`.
    ///
    /// Nothing is locked while making. Who waited for a making that failed tries for itself, so each caller has its own error.
    pub(super) fn get_or_make(
        &self,
        host: &Host,
        now: SystemTime,
        make: impl Fn(Span) -> Result<Arc<ServerConfig>, TlsError>,
    ) -> Result<Arc<ServerConfig>, TlsError> {
        let slot = match self.find(host, now) {
            Some(slot) => slot,
            None => self.open(host, now),
        };
        let mut failure = None;
        let made = slot.config.get_or_init(|| match make(slot.span) {
            Ok(config) => Some(config),
            Err(error) => {
                failure = Some(error);
                None
            }
        });
        match (made, failure) {
            (Some(config), _) => Ok(Arc::clone(config)),
            (None, Some(error)) => {
                self.forget(host, &slot);
                Err(error)
            }
            (None, None) => make(slot.span),
        }
    }

    fn find(&self, host: &Host, now: SystemTime) -> Option<Arc<Slot>> {
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        let slot = slots.get(host).filter(|slot| slot.span.serves(now))?;
        slot.used.store(self.tick(), Ordering::Relaxed);
        Some(Arc::clone(slot))
    }

    /// Puts an empty slot in place, or takes the one that another thread just put there.
    fn open(&self, host: &Host, now: SystemTime) -> Arc<Slot> {
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.get(host).filter(|slot| slot.span.serves(now)) {
            return Arc::clone(slot);
        }
        if !slots.contains_key(host) && slots.len() >= self.capacity.get() {
            evict(&mut slots);
        }
        let slot = Arc::new(Slot {
            span: Span::starting(now),
            used: AtomicU64::new(self.tick()),
            config: OnceLock::new(),
        });
        slots.insert(host.clone(), Arc::clone(&slot));
        slot
    }

    fn forget(&self, host: &Host, failed: &Arc<Slot>) {
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        if slots
            .get(host)
            .is_some_and(|slot| Arc::ptr_eq(slot, failed))
        {
            slots.remove(host);
        }
    }

    fn tick(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::Relaxed)
    }
}

/// Walks all slots; that is a few microseconds, paid only beside a mint.
fn evict(slots: &mut HashMap<Host, Arc<Slot>>) {
    let oldest = slots
        .iter()
        .min_by_key(|(_, slot)| slot.used.load(Ordering::Relaxed))
        .map(|(host, _)| host.clone());
    if let Some(host) = oldest {
        slots.remove(&host);
    }
}

#[cfg(test)]
mod tests;

//! Gates: places where an answer waits until the test lets its next part through.
//!
//! With them a test can claim "this event arrived before the next one was sent" without ever looking at a clock.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;

/// Names beyond this are refused, so nobody fills memory with them.
const GATES: usize = 1024;
/// More than any test lets through at once; far below the semaphore's own limit.
const AT_ONCE: usize = 1 << 20;

/// All gates of one upstream, by name; a gate exists once it is named by either side.
#[derive(Debug, Clone, Default)]
pub struct Gates(Arc<Mutex<HashMap<String, Arc<Semaphore>>>>);

impl Gates {
    /// Lets `count` parts through the gate `name`.
    pub fn open(&self, name: &str, count: usize) {
        if let Some(gate) = self.named(name) {
            let room = AT_ONCE.saturating_sub(gate.available_permits());
            gate.add_permits(count.min(room));
        }
    }

    /// Waits until one part may pass; `false` when there is no such gate and none can be made.
    pub(super) async fn pass(&self, name: &str) -> bool {
        let Some(gate) = self.named(name) else {
            return false;
        };
        match gate.acquire().await {
            Ok(permit) => {
                permit.forget();
                true
            }
            Err(_) => false,
        }
    }

    fn named(&self, name: &str) -> Option<Arc<Semaphore>> {
        let mut gates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = gates.get(name) {
            return Some(Arc::clone(found));
        }
        if gates.len() >= GATES {
            return None;
        }
        let fresh = Arc::new(Semaphore::new(0));
        gates.insert(name.to_owned(), Arc::clone(&fresh));
        Some(fresh)
    }
}

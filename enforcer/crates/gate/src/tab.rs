//! What messages within one exchange have reserved, until answers say what they took.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use enforcer_prompt::Usage;

use crate::costs::Bill;

/// Messages whose answers are waited for. Of more, the oldest keep what they reserved.
const WAITING: usize = 64;

/// Bills of messages, oldest first.
#[derive(Default)]
pub(crate) struct Tab(Mutex<VecDeque<Bill>>);

// === impl Tab ===

impl Tab {
    pub(crate) fn add(&self, bill: Bill) {
        let mut waiting = self.waiting();
        if waiting.len() == WAITING
            && let Some(oldest) = waiting.pop_front()
        {
            oldest.settle(true);
        }
        waiting.push_back(bill);
    }

    /// Settles the oldest bill; says no when nobody waited for an answer.
    pub(crate) fn settle(&self, model: Option<&str>, usage: &Usage) -> bool {
        let oldest = self.waiting().pop_front();
        let Some(mut bill) = oldest else {
            return false;
        };
        bill.used(model, usage);
        bill.settle(true);
        true
    }

    /// What is left keeps what it reserved.
    pub(crate) fn close(&self) {
        let left = std::mem::take(&mut *self.waiting());
        left.into_iter().for_each(|bill| bill.settle(true));
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<Bill>> {
        // Bills come and go whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

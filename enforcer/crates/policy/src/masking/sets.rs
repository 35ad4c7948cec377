//! What several rules want masked in one exchange, as one ruleset: put together when it is first asked for, and kept.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use enforcer_mask::{Rule, RuleError, Ruleset};

use crate::Obligation;
use crate::masking::{Mask, read};

/// Most sets that are kept; beyond that each is put together anew. No policy has as many ways for its rules to meet.
const MAX_KEPT: usize = 4096;

/// Rulesets by the rules they came of.
#[derive(Debug, Default)]
pub(crate) struct Sets {
    kept: RwLock<HashMap<Box<[usize]>, Arc<Ruleset>>>,
}

// === impl Sets ===

impl Sets {
    /// The ruleset of all masks among these obligations; none when there are none.
    ///
    /// # Errors
    /// When together they are more than a ruleset may be.
    pub(crate) fn of(
        &self,
        obligations: &[Obligation],
    ) -> Result<Option<Arc<Ruleset>>, Vec<RuleError>> {
        let mut masks = obligations.iter().filter_map(mask);
        let Some(first) = masks.next() else {
            return Ok(None);
        };
        let Some(second) = masks.next() else {
            return Ok(Some(Arc::clone(&first.set)));
        };
        let all: Vec<&Mask> = [first, second].into_iter().chain(masks).collect();
        // Masks live as long as the set, so where they are tells which they are.
        let mut key: Vec<usize> = all
            .iter()
            .map(|mask| Arc::as_ptr(&mask.set).addr())
            .collect();
        key.sort_unstable();
        key.dedup();
        if let Ok(kept) = self.kept.read()
            && let Some(set) = kept.get(&*key)
        {
            return Ok(Some(Arc::clone(set)));
        }
        let set = Arc::new(union(&all)?);
        if let Ok(mut kept) = self.kept.write()
            && kept.len() < MAX_KEPT
        {
            kept.insert(key.into(), Arc::clone(&set));
        }
        Ok(Some(set))
    }
}

fn mask(obligation: &Obligation) -> Option<&Mask> {
    match obligation {
        Obligation::Mask(mask) => Some(mask),
        Obligation::Inject(_)
        | Obligation::Limit(_)
        | Obligation::Record(_)
        | Obligation::Sign(_) => None,
    }
}

/// All of them together. Examples pass only where every rule lets them.
fn union(masks: &[&Mask]) -> Result<Ruleset, Vec<RuleError>> {
    let rules: Vec<Rule> = masks
        .iter()
        .flat_map(|mask| mask.rules.iter().cloned())
        .collect();
    Ruleset::new(
        &rules,
        read::settings(masks.iter().all(|mask| mask.examples)),
    )
}

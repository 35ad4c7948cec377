//! Rules that never decide anything: allowed things that another rule denies, and rules another says in full already.
//!
//! Only what is sure is reported, by comparing rules in pairs; what two rules cover together is not found.

use std::ops::ControlFlow;

use crate::check::Effect;
use crate::compile::host::Place;
use crate::compile::{Policy, Rule};
use crate::diagnostic::{Findings, Spot};

/// Most pairs of rules compared in one policy. Each rule is compared with those at the same places, so only policies
/// with thousands of rules for one place come near.
const MAX_PAIRS: usize = 2_000_000;

/// Reports the rules of one policy that never decide.
pub(crate) fn report(policy: &Policy, places: &[(Spot<'_>, Vec<Place>)], findings: &mut Findings) {
    let mut pairs = MAX_PAIRS;
    for (at, (rule, (spot, places))) in (0u32..).zip(policy.rules.iter().zip(places)) {
        let covering = match covering(policy, (at, rule), places, &mut pairs) {
            ControlFlow::Continue(covering) => covering,
            ControlFlow::Break(()) => {
                let message =
                    "too many rules for one place; overlaps were not looked for from here";
                findings.warning(*spot, message.to_owned(), None);
                return;
            }
        };
        let Some(other) = covering.and_then(|other| policy.rules.get(other as usize)) else {
            continue;
        };
        let (id, by) = (rule.name.id(), other.name.id());
        let (message, hint) = match (rule.effect, other.effect) {
            (Effect::Allow, Effect::Deny) => (
                format!("rule `{id}` never allows anything: `{by}` denies all of it"),
                "deny wins over allow; narrow the one or remove the other",
            ),
            (Effect::Allow, Effect::Allow) | (Effect::Deny, Effect::Deny | Effect::Allow) => (
                format!("rule `{id}` adds nothing: `{by}` covers all of it"),
                "remove one of them",
            ),
        };
        findings.warning(*spot, message, Some(hint.to_owned()));
    }
}

/// The rule that covers all of this one, a denying one first.
fn covering(
    policy: &Policy,
    (at, rule): (u32, &Rule),
    places: &[Place],
    pairs: &mut usize,
) -> ControlFlow<(), Option<u32>> {
    let Some((first, more)) = places.split_first() else {
        return ControlFlow::Continue(None);
    };
    let mut candidates = Vec::new();
    policy
        .index
        .visit_around(first, |rules| candidates.extend_from_slice(rules));
    let Some(left) = pairs.checked_sub(candidates.len()) else {
        return ControlFlow::Break(());
    };
    *pairs = left;
    candidates.retain(|other| {
        policy
            .rules
            .get(*other as usize)
            .is_some_and(|covering| covers((*other, covering), (at, rule)))
    });
    for place in more {
        if candidates.is_empty() {
            break;
        }
        let mut around = Vec::new();
        policy
            .index
            .visit_around(place, |rules| around.extend_from_slice(rules));
        let Some(left) = pairs.checked_sub(around.len()) else {
            return ControlFlow::Break(());
        };
        *pairs = left;
        around.sort_unstable();
        candidates.retain(|other| around.binary_search(other).is_ok());
    }
    let denies = |other: &&u32| {
        let rule = policy.rules.get(**other as usize);
        rule.is_some_and(|rule| rule.effect == Effect::Deny)
    };
    let denying = candidates.iter().find(denies).copied();
    ControlFlow::Continue(denying.or(candidates.first().copied()))
}

/// Whether the second rule decides nothing because of the first, places apart.
fn covers((at, by): (u32, &Rule), (other_at, rule): (u32, &Rule)) -> bool {
    match (by.effect, rule.effect) {
        (Effect::Allow, Effect::Deny) => false,
        (Effect::Deny, Effect::Allow) => rule.is_denied_by(by),
        (Effect::Allow, Effect::Allow) | (Effect::Deny, Effect::Deny) => {
            // Of two rules that say the same, the later one is too many.
            let same = rule.is_within(by);
            same && at != other_at && (at < other_at || !by.is_within(rule))
        }
    }
}

// === impl Rule ===

impl Rule {
    /// Whether this rule, places apart, matches only what the other surely matches too.
    fn is_within(&self, other: &Self) -> bool {
        let methods = match (&self.methods, &other.methods) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(own), Some(theirs)) => own.iter().all(|method| theirs.contains(method)),
        };
        let paths = match (&self.paths, &other.paths) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(own), Some(theirs)) => own
                .iter()
                .all(|path| theirs.iter().any(|other| other.covers(path))),
        };
        methods && paths && other.reach.covers(&self.reach)
    }

    /// Whether a rule that denies surely matches, places apart, whatever this rule that allows does.
    pub(crate) fn is_denied_by(&self, deny: &Self) -> bool {
        let protocols = self.reach.protocols;
        let unopened = protocols.has(enforcer_flow::Protocol::Tls);
        // Requests inside unopened TLS are not seen, and a rule that denies takes what it cannot see to match.
        (unopened && deny.reach.covers(&self.reach)) || self.is_within(deny)
    }
}

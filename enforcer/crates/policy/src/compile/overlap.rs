//! Rules that never decide anything: allowed things that another rule denies, and rules another says in full already.
//!
//! Only what is sure is reported, by comparing rules in pairs; what two rules cover together is not found.

use crate::check::{Effect, More};
use crate::compile::host::Place;
use crate::compile::{Policy, Rule};
use crate::condition::is_of_subject;
use crate::diagnostic::{Findings, Spot};

/// Most pairs of rules compared in one policy. Each rule is compared with those at the same places, so only policies
/// with thousands of rules for one place come near.
const MAX_PAIRS: usize = 2_000_000;

/// Reports the rules of one policy that never decide. The places are those of its rules, in the same order.
pub(crate) fn report(policy: &Policy, places: &[(Spot<'_>, Vec<Place>)], findings: &mut Findings) {
    let mut search = Search {
        policy,
        places,
        pairs: MAX_PAIRS,
    };
    for (at, (rule, (spot, _))) in (0u32..).zip(policy.rules.iter().zip(places)) {
        let Some(decider) = search.decider(at) else {
            let message = "too many rules for one place; overlaps were not looked for from here";
            findings.warning(*spot, message.to_owned(), None);
            return;
        };
        let Some(other) = decider.and_then(|other| policy.rule(other)) else {
            continue;
        };
        let (id, by) = (rule.name.id(), other.name.id());
        let (message, hint) = match (rule.effect, other.effect) {
            (Effect::Allow, Effect::Deny | Effect::Terminate) => (
                format!("rule `{id}` never allows anything: `{by}` denies all of it"),
                "deny wins over allow; narrow the one or remove the other",
            ),
            (Effect::Allow, Effect::Approve) => (
                format!("rule `{id}` never allows anything: `{by}` wants approval for all of it"),
                "approval wins over allow; narrow the one or remove the other",
            ),
            (Effect::Approve, Effect::Deny | Effect::Terminate) => (
                format!("rule `{id}` never asks for approval: `{by}` denies all of it"),
                "deny wins over approval; narrow the one or remove the other",
            ),
            (Effect::Allow, Effect::Allow)
            | (Effect::Approve | Effect::Deny | Effect::Terminate, _) => (
                format!("rule `{id}` adds nothing: `{by}` covers all of it"),
                "remove one of them",
            ),
        };
        findings.warning(*spot, message, Some(hint.to_owned()));
    }
}

/// Looks for covering rules, within a budget. Each step answers none when the budget is spent.
struct Search<'s, 't> {
    policy: &'s Policy,
    places: &'s [(Spot<'t>, Vec<Place>)],
    pairs: usize,
}

impl Search<'_, '_> {
    /// The rule that decides whatever this one speaks of, a denying one first.
    fn decider(&mut self, at: u32) -> Option<Option<u32>> {
        let covering = self.covering(at)?;
        let own = self.effect(at);
        let denies = |other: &&u32| self.effect(**other) != own;
        if let Some(deny) = covering.iter().find(denies) {
            return Some(Some(*deny));
        }
        for other in covering {
            // Of two rules that cover each other, the later one is too many.
            if other < at || !self.covering(other)?.contains(&at) {
                return Some(Some(other));
            }
        }
        Some(None)
    }

    /// The other rules that cover all of this one.
    fn covering(&mut self, at: u32) -> Option<Vec<u32>> {
        let (policy, all) = (self.policy, self.places);
        let (Some(rule), Some((_, places))) = (policy.rule(at), all.get(at as usize)) else {
            return Some(Vec::new());
        };
        let Some((first, more)) = places.split_first() else {
            return Some(Vec::new());
        };
        // A pattern that covers another begins with no more than the other begins with.
        let beginning = rule.paths.as_ref().and_then(|paths| paths.first());
        let beginning = beginning.map(|path| path.beginning().collect::<Vec<_>>().join(&b'/'));
        let beginning = beginning.as_deref();
        let mut covering = self.around(first, beginning)?;
        covering.retain(|other| {
            *other != at && policy.rule(*other).is_some_and(|by| rule.is_covered_by(by))
        });
        for place in more {
            if covering.is_empty() {
                break;
            }
            let around = self.around(place, beginning)?;
            covering.retain(|other| around.binary_search(other).is_ok());
        }
        Some(covering)
    }

    /// The rules that speak of all of a place, sorted; only those whose paths fit this beginning, if there is one.
    fn around(&mut self, place: &Place, beginning: Option<&[u8]>) -> Option<Vec<u32>> {
        let mut around = Vec::new();
        self.policy.index.visit_around(place, |rules| {
            rules.hear(beginning, None, |at| around.push(at));
        });
        self.pairs = self.pairs.checked_sub(around.len())?;
        around.sort_unstable();
        around.dedup();
        Some(around)
    }

    fn effect(&self, at: u32) -> Option<Effect> {
        self.policy.rule(at).map(|rule| rule.effect)
    }
}

// === impl Rule ===

impl Rule {
    /// Whether the other rule, places apart, surely decides whatever this one speaks of.
    fn is_covered_by(&self, other: &Self) -> bool {
        match (self.effect, other.effect) {
            // Each rule's obligations are carried out.
            (Effect::Allow, Effect::Allow) => !self.obliges() && self.is_within(other),
            (Effect::Approve, Effect::Approve)
            | (Effect::Deny, Effect::Deny | Effect::Terminate)
            | (Effect::Terminate, Effect::Terminate)
            | (Effect::Approve, Effect::Deny | Effect::Terminate) => self.is_within(other),
            (Effect::Allow, Effect::Approve | Effect::Deny | Effect::Terminate) => {
                self.is_denied_by(other)
            }
            (Effect::Approve, Effect::Allow)
            | (Effect::Deny, Effect::Allow | Effect::Approve)
            | (Effect::Terminate, Effect::Allow | Effect::Approve | Effect::Deny) => false,
        }
    }

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
        self.asks_as_much_as(other) && methods && paths && other.reach.covers(&self.reach)
    }

    /// Whether the other asks for nothing beyond place, method and path, or for the very same. A rule about answers decides
    /// nothing of requests, and one about requests nothing of answers.
    fn asks_as_much_as(&self, other: &Self) -> bool {
        let own = self.more.as_ref();
        let alike = self.effect.opens() == other.effect.opens();
        match &other.more {
            None => self.answer().is_none(),
            Some(more) if more.is_unconditional() => self.answer().is_none(),
            Some(more) => {
                let same = |own: &More| own.written == more.written && own.action == more.action;
                alike && own.is_some_and(|own| same(own))
            }
        }
    }

    /// Whether unopened TLS hides all that it asks for: who asks is seen in TLS, too.
    fn asks_of_requests_only(&self) -> bool {
        self.more.as_ref().is_none_or(|more| {
            more.when.is_none()
                && more
                    .conditions
                    .iter()
                    .all(|condition| !is_of_subject(condition.key))
        })
    }

    /// Whether a rule that denies surely matches, places apart, whatever this rule that allows does.
    pub(crate) fn is_denied_by(&self, deny: &Self) -> bool {
        let protocols = self.reach.protocols;
        let unopened = protocols.has(enforcer_flow::Protocol::Tls);
        // Requests inside unopened TLS are not seen, and a rule that denies takes what it cannot see to match.
        (unopened && deny.asks_of_requests_only() && deny.reach.covers(&self.reach))
            || self.is_within(deny)
    }
}

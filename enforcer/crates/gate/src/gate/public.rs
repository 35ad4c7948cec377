//! The agent's sentence: the destination it knows, the rule's name and the reason its author wrote for it.

use enforcer_flow::ExchangeId;
use enforcer_policy::{Cause, Decision, RuleRef};

use super::Ask;

pub(super) fn public(id: ExchangeId, ask: Ask<'_>, decision: &Decision) -> String {
    let what = match ask.request {
        Some(request) => format!("{} {}{}", request.method, ask.destination, request.path),
        None => format!("{} to {}", ask.protocol, ask.destination),
    };
    let Some(rule) = &decision.rule else {
        return format!("{what} is denied: {} (exchange {id})", decision.cause);
    };
    let reason = reason(rule);
    match decision.cause {
        Cause::ApprovalRequired => format!(
            "{what} needs approval by rule {rule}{reason}; nobody can approve it yet (exchange {id})"
        ),
        Cause::Undecidable(cause) => {
            format!("{what} is denied by rule {rule}{reason}: {cause} (exchange {id})")
        }
        Cause::AmbiguousPath
        | Cause::Conflict
        | Cause::NoPolicy
        | Cause::NoRule
        | Cause::NoneApplies
        | Cause::Rule
        | Cause::Sensitive
        | Cause::Terminated => {
            format!("{what} is denied by rule {rule}{reason} (exchange {id})")
        }
    }
}

/// `: REASON`, if the rule gives one.
pub(crate) fn reason(rule: &RuleRef) -> String {
    rule.reason()
        .map(|reason| format!(": {reason}"))
        .unwrap_or_default()
}

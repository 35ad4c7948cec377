//! The answer: allow or deny, why in one stable word, and which rule of which policy said so.

use std::fmt;
use std::sync::Arc;

use enforcer_prompt as prompt;

use crate::Obligation;

/// What is to happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It may pass.
    Allow,
    /// It may not.
    #[default]
    Deny,
}

/// Why the verdict is what it is. The codes are stable: ledgers and dashboards count by them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The path can be read in more than one way (dot segments, encoded separators), so no rule about paths may allow it.
    AmbiguousPath,
    /// A rule wants it approved, and nobody approves yet.
    ApprovalRequired,
    /// Two rules that allow it ask for what cannot both be done.
    Conflict,
    /// The label names a policy that is not loaded.
    NoPolicy,
    /// Policies are loaded, but none applies to this workload.
    NoneApplies,
    /// Policies apply, but none of their rules allows this.
    NoRule,
    /// A rule decided; the decision names it.
    Rule,
    /// Something was found in it that a rule which allows it wants blocked.
    Sensitive,
    /// A rule denies it, and ends the connection that asked.
    Terminated,
    /// Rules read the body, and it cannot be understood in one way only.
    Undecidable(prompt::Cause),
}

/// A decision: the verdict, its cause, and the rule that made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What is to happen.
    pub verdict: Verdict,
    /// Why.
    pub cause: Cause,
    /// The rule that decided. Always there when the verdict is to allow.
    pub rule: Option<RuleRef>,
    /// What must be done with what is allowed; empty otherwise. Of all rules that allow it, not of the first alone.
    pub obligations: Vec<Obligation>,
}

/// A rule by name. Shows itself as `POLICY/RULE-ID`; cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RuleRef(Arc<Named>);

#[derive(PartialEq, Eq, Hash)]
struct Named {
    /// `POLICY/RULE-ID`.
    full: Box<str>,
    /// Where in `full` the policy's name ends.
    slash: usize,
    reason: Option<Box<str>>,
}

// === impl Verdict ===

impl Verdict {
    /// The word used in policies, the ledger and logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

// === impl Cause ===

impl Cause {
    /// The causes that are not about bodies, in the order of their codes.
    const PLAIN: [Self; 9] = [
        Self::AmbiguousPath,
        Self::ApprovalRequired,
        Self::Conflict,
        Self::NoPolicy,
        Self::NoRule,
        Self::NoneApplies,
        Self::Rule,
        Self::Sensitive,
        Self::Terminated,
    ];

    /// Every cause.
    pub fn all() -> impl Iterator<Item = Self> {
        let undecidable = prompt::Cause::ALL.into_iter().map(Self::Undecidable);
        Self::PLAIN.into_iter().chain(undecidable)
    }

    /// The stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::AmbiguousPath => "ambiguous_path",
            Self::ApprovalRequired => "approval_required",
            Self::Conflict => "conflict",
            Self::NoPolicy => "no_policy",
            Self::NoRule => "no_rule",
            Self::NoneApplies => "none_applies",
            Self::Rule => "rule",
            Self::Sensitive => "sensitive_data",
            Self::Terminated => "terminated",
            Self::Undecidable(cause) => cause.code(),
        }
    }
}

/// The cause as a phrase that can follow "because".
impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AmbiguousPath => "the path can be read in more than one way",
            Self::ApprovalRequired => "it needs approval, which nobody can give yet",
            Self::Conflict => "the rules that allow it ask for what cannot both be done",
            Self::NoPolicy => "the policy named by the workload's label is not loaded",
            Self::NoRule => "no rule allows it",
            Self::NoneApplies => "no policy applies to this workload",
            Self::Rule => "a rule says so",
            Self::Sensitive => "it holds sensitive data that a rule blocks",
            Self::Terminated => "a rule ends the connection",
            Self::Undecidable(cause) => return cause.fmt(f),
        })
    }
}

// === impl Decision ===

impl Decision {
    /// Whether it may pass.
    #[must_use]
    pub fn is_allow(&self) -> bool {
        match self.verdict {
            Verdict::Allow => true,
            Verdict::Deny => false,
        }
    }

    /// Whether the connection that asked is to be ended.
    #[must_use]
    pub fn terminates(&self) -> bool {
        self.cause == Cause::Terminated
    }

    /// Whether the body is signed, so that all of it must be there before it is sent.
    #[must_use]
    pub fn signs(&self) -> bool {
        let sign = |obligation: &Obligation| matches!(obligation, Obligation::Sign(_));
        self.obligations.iter().any(sign)
    }

    pub(crate) fn allow(rule: RuleRef, obligations: Vec<Obligation>) -> Self {
        Self {
            verdict: Verdict::Allow,
            cause: Cause::Rule,
            rule: Some(rule),
            obligations,
        }
    }

    pub(crate) fn deny(cause: Cause, rule: Option<RuleRef>) -> Self {
        Self {
            verdict: Verdict::Deny,
            cause,
            rule,
            obligations: Vec::new(),
        }
    }
}

/// `allow (POLICY/RULE-ID)` or `deny (POLICY/RULE-ID: CAUSE)`, with as much of it as there is.
impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            verdict,
            cause,
            rule,
            obligations: _,
        } = self;
        match (rule, cause) {
            (Some(rule), Cause::Rule) => write!(f, "{verdict} ({rule})"),
            (Some(rule), cause) => write!(f, "{verdict} ({rule}: {cause})"),
            (None, cause) => write!(f, "{verdict} ({cause})"),
        }
    }
}

// === impl RuleRef ===

impl RuleRef {
    pub(crate) fn new(policy: &str, id: &str, reason: Option<&str>) -> Self {
        Self(Arc::new(Named {
            full: format!("{policy}/{id}").into(),
            slash: policy.len(),
            reason: reason.map(Into::into),
        }))
    }

    /// `POLICY/RULE-ID`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0.full
    }

    /// The policy's name.
    #[must_use]
    pub fn policy(&self) -> &str {
        self.0.full.get(..self.0.slash).unwrap_or_default()
    }

    /// The rule's id within its policy.
    #[must_use]
    pub fn id(&self) -> &str {
        self.0.full.get(self.0.slash + 1..).unwrap_or_default()
    }

    /// The operator's own words for it, when the rule has any.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }
}

impl fmt::Display for RuleRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for RuleRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RuleRef({self})")
    }
}

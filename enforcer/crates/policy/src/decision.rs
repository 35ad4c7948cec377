//! The answer: allow or deny, why in one stable word, and which rule of which policy said so.

use std::fmt;
use std::sync::Arc;

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
    /// The label names a policy that is not loaded.
    NoPolicy,
    /// Policies are loaded, but none applies to this workload.
    NoneApplies,
    /// Policies apply, but none of their rules allows this.
    NoRule,
    /// A rule decided; the decision names it.
    Rule,
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
    /// Every cause, in the order of their codes.
    pub const ALL: [Self; 5] = [
        Self::AmbiguousPath,
        Self::NoPolicy,
        Self::NoRule,
        Self::NoneApplies,
        Self::Rule,
    ];

    /// The stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::AmbiguousPath => "ambiguous_path",
            Self::NoPolicy => "no_policy",
            Self::NoRule => "no_rule",
            Self::NoneApplies => "none_applies",
            Self::Rule => "rule",
        }
    }
}

/// The cause as a phrase that can follow "because".
impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AmbiguousPath => "the path can be read in more than one way",
            Self::NoPolicy => "the policy named by the workload's label is not loaded",
            Self::NoRule => "no rule allows it",
            Self::NoneApplies => "no policy applies to this workload",
            Self::Rule => "a rule says so",
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

    pub(crate) fn allow(rule: RuleRef) -> Self {
        Self {
            verdict: Verdict::Allow,
            cause: Cause::Rule,
            rule: Some(rule),
        }
    }

    pub(crate) fn deny(cause: Cause, rule: Option<RuleRef>) -> Self {
        Self {
            verdict: Verdict::Deny,
            cause,
            rule,
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

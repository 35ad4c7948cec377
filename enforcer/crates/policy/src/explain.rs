//! Why a question is answered as it is, in words: which rules spoke, and why those near it did not.

use std::fmt;

use enforcer_flow::Protocol;

use crate::check::Effect;
use crate::compile::Rule;
use crate::evaluate::Asked;
use crate::scope::Subject;
use crate::{Answer, Decision, Mismatch, PolicySet, Question, RuleRef};

/// Most rules told of; they are read by people.
const MAX_CONSIDERED: usize = 50;

/// A decision and the rules that had to do with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The answer, as [`PolicySet::evaluate`] gives it.
    pub decision: Decision,
    /// The rules about this host, policy by policy in the order of their files; at most 50, and all that match before
    /// any that does not.
    pub considered: Vec<Considered>,
    /// How many more rules apply to the workload: about other hosts, or beyond the 50.
    pub others: usize,
}

/// What a rule does with what it matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RuleEffect {
    /// It lets it pass.
    Allow,
    /// It refuses it.
    Deny,
    /// It wants approval for it.
    RequireApproval,
    /// It refuses it and ends the connection.
    Terminate,
}

/// One rule about the host that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Considered {
    /// The rule.
    pub rule: RuleRef,
    /// What it does with what it matches.
    pub effect: RuleEffect,
    /// Why it does not match; none when it does.
    pub mismatch: Option<Mismatch>,
}

// === impl PolicySet ===

impl PolicySet {
    /// Answers a question and tells why. Slower than [`PolicySet::evaluate`]; for operators, not for traffic.
    #[must_use]
    pub fn explain(&self, question: &Question<'_>) -> Explanation {
        let mut explanation = Explanation {
            decision: self.evaluate(question),
            considered: Vec::new(),
            others: 0,
        };
        let asked = Asked::read(question, self);
        let mut considered = Vec::new();
        for policy in self.scope(Subject::of(question)).into_iter().flatten() {
            let near = policy.near(question.host);
            explanation.others += policy.rules.len() - near.len();
            let near = near.into_iter();
            considered.extend(near.map(|rule| consider(rule, question.protocol, &asked)));
        }
        explanation.take(considered);
        explanation
    }
}

impl PolicySet {
    /// The rules about answers from a host, and which of them match a part. The decision is for the caller to fill in.
    pub(crate) fn explain_part(&self, question: &Question<'_>, answer: &Answer<'_>) -> Explanation {
        let mut explanation = self.explain(question);
        explanation.considered.clear();
        self.consider_part(question, answer, |rule, mismatch| {
            if explanation.considered.len() < MAX_CONSIDERED {
                explanation.considered.push(Considered {
                    rule: rule.name.clone(),
                    effect: effect(rule),
                    mismatch,
                });
            }
        });
        explanation
    }
}

fn effect(rule: &Rule) -> RuleEffect {
    match rule.effect {
        Effect::Allow => RuleEffect::Allow,
        Effect::Approve => RuleEffect::RequireApproval,
        Effect::Deny => RuleEffect::Deny,
        Effect::Terminate => RuleEffect::Terminate,
    }
}

// === impl Explanation ===

impl Explanation {
    /// Keeps what fits: the rule that decided, then what matches, then what does not.
    fn take(&mut self, mut considered: Vec<Considered>) {
        let mut places: Vec<usize> = (0..considered.len()).collect();
        places.sort_by_key(|at| {
            let own = &considered[*at];
            let decides = self.decision.rule.as_ref() == Some(&own.rule);
            (!decides, own.mismatch.is_some())
        });
        places.truncate(MAX_CONSIDERED);
        self.others += considered.len() - places.len();
        let mut at = 0..;
        considered.retain(|_| at.next().is_some_and(|at| places.contains(&at)));
        self.considered = considered;
    }
}

fn consider(rule: &Rule, protocol: Protocol, asked: &Asked<'_, '_>) -> Considered {
    let mismatch = match protocol {
        // Any rule about a name speaks of its lookup.
        Protocol::Dns => None,
        Protocol::Http | Protocol::Https | Protocol::Tcp | Protocol::Tls => {
            rule.matches(asked).err()
        }
    };
    Considered {
        rule: rule.name.clone(),
        effect: effect(rule),
        mismatch,
    }
}

// === impl RuleEffect ===

impl RuleEffect {
    /// The word used in policies.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::RequireApproval => "require_approval",
            Self::Terminate => "terminate",
        }
    }
}

impl fmt::Display for RuleEffect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One line for the decision and one for each rule considered.
impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            decision,
            considered,
            others,
        } = self;
        write!(f, "{decision}")?;
        for rule in considered {
            write!(f, "\n  {rule}")?;
        }
        match others {
            0 => Ok(()),
            1 => write!(f, "\n  1 other rule is about other hosts"),
            _ if considered.len() >= MAX_CONSIDERED => {
                write!(
                    f,
                    "\n  {others} other rules are about other hosts, or are not shown"
                )
            }
            _ => write!(f, "\n  {others} other rules are about other hosts"),
        }
    }
}

impl fmt::Display for Considered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            rule,
            effect,
            mismatch,
        } = self;
        match mismatch {
            None => write!(f, "{rule} matches, to {effect}"),
            Some(mismatch) => write!(f, "{rule} would {effect}, but {mismatch}"),
        }
    }
}

/// The mismatch as a phrase that completes "it would, but …".
impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AmbiguousPath => "the path can be read in more than one way",
            Self::Answer => "it is about the answer",
            Self::Field(key) => return write!(f, "`{key}` does not hold"),
            Self::Hidden(key) => return write!(f, "`{key}` cannot be seen to hold"),
            Self::Method => "it is about other methods",
            Self::Path => "it is about other paths",
            Self::Port => "it is about other ports",
            Self::Protocol => "it is about other protocols",
            Self::Unseen => "it is about requests, and none is seen",
            Self::When => "`when` is false",
        })
    }
}

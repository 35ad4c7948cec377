//! What must be done with what is allowed. Data only: whoever carries a decision out does these, or refuses.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::{Mask, RuleRef};

pub(crate) mod read;
mod record;

pub use record::Record;

/// One thing to be done with an allowed exchange. Who cannot do it must refuse the exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obligation {
    /// Put a credential in that the agent does not hold.
    Inject(Arc<Inject>),
    /// Count it, and refuse it when there is no more left.
    Limit(Arc<Limit>),
    /// Look for sensitive data, in it and in its answer.
    Mask(Arc<Mask>),
    /// Keep what went and what came.
    Record(Arc<Record>),
    /// Sign it.
    Sign(Arc<Sign>),
}

/// A header to fill from a secret. The agent's own headers of that name are taken off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inject {
    /// The rule that asks for it.
    pub rule: RuleRef,
    /// The header, in lower case.
    pub header: Box<str>,
    /// What stands before the secret, such as `Bearer `.
    pub prefix: Box<str>,
    /// The secret's name in the daemon's configuration.
    pub secret: Box<str>,
}

/// So much in so much time, counted apart for each of something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The rule that sets it; with `place`, what the counter is kept under.
    pub rule: RuleRef,
    /// Which of the rule's limits it is, from 0.
    pub place: u32,
    /// How much.
    pub amount: Amount,
    /// In how much time, up to now.
    pub window: Duration,
    /// For each of what.
    pub by: By,
    /// What becomes of an exchange that goes beyond it.
    pub beyond: Beyond,
}

/// What is counted, and how much of it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// Money, in millionths of a US dollar.
    MicroUsd(u64),
    /// Exchanges.
    Requests(u64),
    /// Tokens, sent and answered.
    Tokens(u64),
}

/// Who or what a limit is counted apart for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum By {
    /// One count for everyone.
    All,
    /// Each group of the principal, all of which must have some left.
    Group,
    /// Each model.
    Model,
    /// Each principal.
    Principal,
    /// Each workload.
    Workload,
}

/// What becomes of an exchange for which nothing is left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Beyond {
    /// It needs approval.
    Approval,
    /// It is denied.
    #[default]
    Deny,
}

/// A signature over the body, so that a receiver knows who sent it and the agent holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sign {
    /// The rule that asks for it.
    pub rule: RuleRef,
    /// How receivers verify it.
    pub style: SignStyle,
    /// The secret's name in the daemon's configuration.
    pub secret: Box<str>,
}

/// How a signature is made and where it is put.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SignStyle {
    /// As GitHub signs its webhooks.
    Github,
    /// As Slack signs its requests.
    Slack,
    /// As the Standard Webhooks specification says.
    Standard,
}

// === impl Obligation ===

impl Obligation {
    /// Whether two obligations cannot both be carried out.
    pub(crate) fn contradicts(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Inject(own), Self::Inject(other)) => {
                own.header == other.header
                    && (&own.secret, &own.prefix) != (&other.secret, &other.prefix)
            }
            (Self::Sign(own), Self::Sign(other)) => {
                own.style == other.style && own.secret != other.secret
            }
            (
                Self::Inject(_) | Self::Limit(_) | Self::Mask(_) | Self::Record(_) | Self::Sign(_),
                _,
            ) => false,
        }
    }

    /// Whether doing one of them does the other.
    pub(crate) fn repeats(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Inject(own), Self::Inject(other)) => own.header == other.header,
            (Self::Mask(own), Self::Mask(other)) => own == other,
            (Self::Sign(own), Self::Sign(other)) => own.style == other.style,
            (Self::Record(own), Self::Record(other)) => own.covers(other),
            (
                Self::Inject(_) | Self::Limit(_) | Self::Mask(_) | Self::Record(_) | Self::Sign(_),
                _,
            ) => false,
        }
    }
}

/// The obligation in words that can follow "with".
impl fmt::Display for Obligation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inject(inject) => write!(
                f,
                "header `{}` filled from secret `{}`",
                inject.header, inject.secret
            ),
            Self::Limit(limit) => {
                let seconds = limit.window.as_secs();
                let by = By::WORDS.iter().find(|(_, by)| *by == limit.by);
                let by = by.map_or("all", |(word, _)| word);
                match limit.amount {
                    Amount::MicroUsd(micro) => {
                        let cents = micro / 10_000;
                        write!(f, "at most {}.{:02} US dollars", cents / 100, cents % 100)?;
                    }
                    Amount::Requests(requests) => write!(f, "at most {requests} requests")?,
                    Amount::Tokens(tokens) => write!(f, "at most {tokens} tokens")?,
                }
                write!(f, " in {seconds} s by {by}")
            }
            Self::Mask(mask) => write!(f, "{mask}"),
            Self::Record(record) => write!(f, "{record}"),
            Self::Sign(sign) => write!(
                f,
                "a signature in {} style by secret `{}`",
                sign.style.as_str(),
                sign.secret
            ),
        }
    }
}

// === impl By ===

impl By {
    /// Every one with its word.
    pub(crate) const WORDS: [(&'static str, Self); 5] = [
        ("all", Self::All),
        ("group", Self::Group),
        ("model", Self::Model),
        ("principal", Self::Principal),
        ("workload", Self::Workload),
    ];
}

// === impl SignStyle ===

impl SignStyle {
    /// Every one with its word.
    pub(crate) const WORDS: [(&'static str, Self); 3] = [
        ("github", Self::Github),
        ("slack", Self::Slack),
        ("standard", Self::Standard),
    ];

    /// The word used in policies.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Github => "github",
            Self::Slack => "slack",
            Self::Standard => "standard",
        }
    }
}

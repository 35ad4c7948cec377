//! Policy text to decisions. `Document` (the text's shape) → `Checked` (names, hosts and paths make sense) → [`PolicySet`]
//! (compiled for asking), and [`PolicySet::evaluate`] from a [`Question`] to a [`Decision`].
//!
//! Pure: no I/O, no clock, no globals. Evaluation is total; what no rule allows is denied, and what cannot be decided
//! never helps to allow. `policies/README.md` teaches the language.

#![forbid(unsafe_code)]

mod answer;
mod cases;
mod check;
mod compile;
mod decision;
mod diagnostic;
mod document;
mod evaluate;
mod explain;
mod obligation;
mod parse;
mod question;

pub use answer::{Action, Answer, AnswerNeeds, Part, Ruling};
pub use cases::{Cases, Outcome};
pub use compile::{PolicySet, Source};
pub use decision::{Cause, Decision, RuleRef, Verdict};
pub use diagnostic::{Diagnostic, Position, Severity};
pub use evaluate::{Head, Mismatch};
pub use explain::{Considered, Explanation};
pub use obligation::{Amount, Beyond, By, Inject, Limit, Obligation, Sign, SignStyle};
pub use question::{Attributes, Body, Estimate, Principal, Question, Read, Request};

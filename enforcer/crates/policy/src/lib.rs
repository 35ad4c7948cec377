//! Policy text to decisions. `Document` (the text's shape) → `Checked` (names, hosts and paths make sense) → [`PolicySet`]
//! (compiled for asking), and [`PolicySet::evaluate`] from a [`Question`] to a [`Decision`].
//!
//! Pure: no I/O, no clock, no globals. Evaluation is total; what no rule allows is denied, and what cannot be decided
//! never helps to allow. `policies/README.md` teaches the language, `LANGUAGE.md` beside it has all of it.

#![forbid(unsafe_code)]

mod answer;
mod cases;
mod cel;
mod check;
mod compile;
mod condition;
mod decision;
mod diagnostic;
mod document;
mod evaluate;
mod explain;
mod facts;
mod inquiry;
mod lexicon;
mod masking;
mod obligation;
mod parse;
mod question;
mod schema;
mod scope;
mod suggest;
mod truth;

pub use answer::{Action, Answer, AnswerNeeds, Part, Ruling};
pub use cases::{Cases, Outcome};
pub use compile::{PolicySet, Source};
pub use condition::answer::{pins, tool_digest};
pub use decision::{Cause, Decision, RuleRef, Verdict};
pub use diagnostic::{Diagnostic, Position, Severity};
pub use enforcer_mask::{Detector, Family, detectors};
pub use evaluate::{Head, Mismatch};
pub use explain::{Considered, Explanation, RuleEffect};
pub use inquiry::{Inquiry, ReadFile, Reply, with_body};
pub use masking::Mask;
pub use obligation::{Amount, Beyond, By, Inject, Limit, Obligation, Record, Sign, SignStyle};
pub use parse::include::{includes, is_include};
pub use question::{Attributes, Body, Estimate, Labels, Principal, Question, Read, Request};
pub use schema::schema;
pub use suggest::{Seen, suggest};

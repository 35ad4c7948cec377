//! Sensitive values found and replaced, in whole texts and in streams of them, wherever data can leave.
//!
//! A [`Ruleset`] says what is looked for and what is done with it, a [`Session`] holds what one workload's masking needs
//! (keys, and the values behind placeholders), a [`Masker`] takes one logical text as it comes and gives it back safe.
//!
//! Pure and bounded: no I/O, no clock. What a stream gives is what the whole text would have given, wherever it was cut.

#![forbid(unsafe_code)]

pub mod body;
pub mod head;

mod action;
mod custom;
mod finding;
mod masked;
mod masker;
mod place;
mod reassembly;
mod rules;
mod scan;
mod session;
mod stop;

pub use action::Action;
pub use enforcer_recognize::{Confidence, Detector, Family, all as detectors};
pub use finding::{Finding, Fingerprint};
pub use masked::Masked;
pub use masker::{HOLD, Masker, Outcome, Sink};
pub use place::{Direction, Place};
pub use rules::{Rule, RuleError, Ruleset, Settings, What};
pub use session::{Keys, Session, VaultLimits};
pub use stop::Stop;

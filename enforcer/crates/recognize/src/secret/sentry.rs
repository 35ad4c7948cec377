//! Sentry: `sntrys_`, `sntryu_`.

use super::alphabet::Alphabet;
use super::chance::drawn;
use super::token::Token;
use crate::{Confidence, Detector, Family, Look, Sight, Wake};

/// Tokens of organisations and of people.
pub(super) static DETECTOR: Detector = Detector {
    name: "sentry_token",
    family: Family::Secret,
    wake: &[Wake::Prefix("sntrys_"), Wake::Prefix("sntryu_")],
    longest: 407,
    recognise,
    examples: &[],
};

const TOKEN: Token = Token {
    prefixes: &["sntrys_", "sntryu_"],
    body: Alphabet::of("A-Za-z0-9+/=_-"),
    length: (60, 400),
};

fn recognise(look: &Look<'_>) -> Sight {
    TOKEN.see(look, |body| drawn(body).then_some(Confidence::High))
}

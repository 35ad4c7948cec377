//! Replicate: `r8_`.

use super::alphabet::Alphabet;
use super::chance::drawn;
use super::token::Token;
use crate::{Confidence, Detector, Family, Look, Sight, Wake};

/// API tokens.
pub(super) static DETECTOR: Detector = Detector {
    name: "replicate_token",
    family: Family::Secret,
    wake: &[Wake::Prefix("r8_")],
    longest: 43,
    recognise,
    examples: &[],
};

const TOKEN: Token = Token {
    prefixes: &["r8_"],
    body: Alphabet::ALNUM,
    length: (37, 40),
};

fn recognise(look: &Look<'_>) -> Sight {
    TOKEN.see(look, |body| drawn(body).then_some(Confidence::High))
}

//! Postman: `PMAK-`.

use super::alphabet::Alphabet;
use super::chance::drawn;
use super::token::Token;
use crate::{Confidence, Detector, Family, Look, Sight, Wake};

/// API keys.
pub(super) static DETECTOR: Detector = Detector {
    name: "postman_key",
    family: Family::Secret,
    wake: &[Wake::Prefix("PMAK-")],
    longest: 64,
    recognise,
    examples: &[],
};

const TOKEN: Token = Token {
    prefixes: &["PMAK-"],
    body: Alphabet::of("0-9a-f-"),
    length: (59, 59),
};

fn recognise(look: &Look<'_>) -> Sight {
    TOKEN.see(look, |body| drawn(body).then_some(Confidence::High))
}

//! Figma: `figd_`.

use super::alphabet::Alphabet;
use super::chance::drawn;
use super::token::Token;
use crate::{Confidence, Detector, Family, Look, Sight, Wake};

/// Personal access tokens.
pub(super) static DETECTOR: Detector = Detector {
    name: "figma_token",
    family: Family::Secret,
    wake: &[Wake::Prefix("figd_")],
    longest: 65,
    recognise,
    examples: &[],
};

const TOKEN: Token = Token {
    prefixes: &["figd_"],
    body: Alphabet::URL,
    length: (38, 60),
};

fn recognise(look: &Look<'_>) -> Sight {
    TOKEN.see(look, |body| drawn(body).then_some(Confidence::High))
}

//! Perplexity: `pplx-`.

use super::alphabet::Alphabet;
use super::chance::drawn;
use super::token::Token;
use crate::{Confidence, Detector, Family, Look, Sight, Wake};

/// API keys.
pub(super) static DETECTOR: Detector = Detector {
    name: "perplexity_key",
    family: Family::Secret,
    wake: &[Wake::Prefix("pplx-")],
    longest: 65,
    recognise,
    examples: &[],
};

const TOKEN: Token = Token {
    prefixes: &["pplx-"],
    body: Alphabet::ALNUM,
    length: (40, 60),
};

fn recognise(look: &Look<'_>) -> Sight {
    TOKEN.see(look, |body| drawn(body).then_some(Confidence::High))
}

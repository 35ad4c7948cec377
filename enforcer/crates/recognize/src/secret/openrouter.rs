//! OpenRouter: `sk-or-v1-`.

use super::alphabet::Alphabet;
use super::chance::drawn;
use super::token::Token;
use crate::{Confidence, Detector, Family, Look, Sight, Wake};

/// API keys.
pub(super) static DETECTOR: Detector = Detector {
    name: "openrouter_key",
    family: Family::Secret,
    wake: &[Wake::Prefix("sk-or-v1-")],
    longest: 73,
    recognise,
    examples: &[],
};

const TOKEN: Token = Token {
    prefixes: &["sk-or-v1-"],
    body: Alphabet::SMALL_HEX,
    length: (64, 64),
};

fn recognise(look: &Look<'_>) -> Sight {
    TOKEN.see(look, |body| drawn(body).then_some(Confidence::High))
}

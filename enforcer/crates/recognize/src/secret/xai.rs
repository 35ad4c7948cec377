//! xAI: `xai-`.

use super::alphabet::Alphabet;
use super::chance::drawn;
use super::token::Token;
use crate::{Confidence, Detector, Family, Look, Sight, Wake};

/// API keys.
pub(super) static DETECTOR: Detector = Detector {
    name: "xai_key",
    family: Family::Secret,
    wake: &[Wake::Prefix("xai-")],
    longest: 104,
    recognise,
    examples: &[],
};

const TOKEN: Token = Token {
    prefixes: &["xai-"],
    body: Alphabet::ALNUM,
    length: (60, 100),
};

fn recognise(look: &Look<'_>) -> Sight {
    TOKEN.see(look, |body| drawn(body).then_some(Confidence::High))
}

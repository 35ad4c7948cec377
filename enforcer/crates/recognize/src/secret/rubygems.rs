//! RubyGems: `rubygems_` and 48 digits of hex.

use super::alphabet::Alphabet;
use super::chance::drawn;
use super::token::Token;
use crate::{Confidence, Detector, Family, Look, Sight, Wake};

/// API keys.
pub(super) static DETECTOR: Detector = Detector {
    name: "rubygems_key",
    family: Family::Secret,
    wake: &[Wake::Prefix("rubygems_")],
    longest: 57,
    recognise,
    examples: &[],
};

const TOKEN: Token = Token {
    prefixes: &["rubygems_"],
    body: Alphabet::SMALL_HEX,
    length: (48, 48),
};

fn recognise(look: &Look<'_>) -> Sight {
    TOKEN.see(look, |body| drawn(body).then_some(Confidence::High))
}

//! Pulumi: `pul-` and 40 digits of hex.

use super::alphabet::Alphabet;
use super::chance::drawn;
use super::token::Token;
use crate::{Confidence, Detector, Family, Look, Sight, Wake};

/// Access tokens.
pub(super) static DETECTOR: Detector = Detector {
    name: "pulumi_token",
    family: Family::Secret,
    wake: &[Wake::Prefix("pul-")],
    longest: 44,
    recognise,
    examples: &[],
};

const TOKEN: Token = Token {
    prefixes: &["pul-"],
    body: Alphabet::SMALL_HEX,
    length: (40, 40),
};

fn recognise(look: &Look<'_>) -> Sight {
    TOKEN.see(look, |body| drawn(body).then_some(Confidence::High))
}

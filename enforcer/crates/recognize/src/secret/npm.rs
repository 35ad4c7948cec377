//! npm: `npm_`, and a checksum.

use super::alphabet::Alphabet;
use super::chance::drawn;
use super::checksum::base62;
use super::token::Token;
use crate::{Confidence, Detector, Family, Look, Sight, Wake};

/// Access tokens; what proves itself by no checksum was made up.
pub(super) static DETECTOR: Detector = Detector {
    name: "npm_token",
    family: Family::Secret,
    wake: &[Wake::Prefix("npm_")],
    longest: 40,
    recognise,
    examples: &[],
};

const TOKEN: Token = Token {
    prefixes: &["npm_"],
    body: Alphabet::ALNUM,
    length: (36, 36),
};

fn recognise(look: &Look<'_>) -> Sight {
    TOKEN.see(look, |body| {
        Some(if base62(body) {
            Confidence::High
        } else {
            Confidence::Low
        })
        .filter(|_| drawn(body))
    })
}

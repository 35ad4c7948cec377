//! crates.io: `cio`.

use super::alphabet::Alphabet;
use super::chance::random;
use super::token::Token;
use crate::{Confidence, Detector, Family, Look, Sight, Wake};

/// API tokens.
pub(super) static DETECTOR: Detector = Detector {
    name: "crates_io_token",
    family: Family::Secret,
    wake: &[Wake::Prefix("cio")],
    longest: 35,
    recognise,
    examples: &[],
};

const TOKEN: Token = Token {
    prefixes: &["cio"],
    body: Alphabet::ALNUM,
    length: (32, 32),
};

fn recognise(look: &Look<'_>) -> Sight {
    TOKEN.see(look, |body| random(body).then_some(Confidence::High))
}

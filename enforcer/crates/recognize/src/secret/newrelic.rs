//! New Relic: `NRAK-`.

use super::alphabet::Alphabet;
use super::chance::drawn;
use super::token::Token;
use crate::{Confidence, Detector, Family, Look, Sight, Wake};

/// Keys of users.
pub(super) static DETECTOR: Detector = Detector {
    name: "newrelic_key",
    family: Family::Secret,
    wake: &[Wake::Prefix("NRAK-")],
    longest: 32,
    recognise,
    examples: &[],
};

const TOKEN: Token = Token {
    prefixes: &["NRAK-"],
    body: Alphabet::of("A-Z0-9"),
    length: (27, 27),
};

fn recognise(look: &Look<'_>) -> Sight {
    TOKEN.see(look, |body| drawn(body).then_some(Confidence::High))
}

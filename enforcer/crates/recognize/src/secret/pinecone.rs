//! Pinecone: `pcsk_`.

use super::alphabet::Alphabet;
use super::chance::drawn;
use super::token::Token;
use crate::{Confidence, Detector, Family, Look, Sight, Wake};

/// API keys.
pub(super) static DETECTOR: Detector = Detector {
    name: "pinecone_key",
    family: Family::Secret,
    wake: &[Wake::Prefix("pcsk_")],
    longest: 85,
    recognise,
    examples: &[],
};

const TOKEN: Token = Token {
    prefixes: &["pcsk_"],
    body: Alphabet::of("A-Za-z0-9_"),
    length: (60, 80),
};

fn recognise(look: &Look<'_>) -> Sight {
    TOKEN.see(look, |body| drawn(body).then_some(Confidence::High))
}

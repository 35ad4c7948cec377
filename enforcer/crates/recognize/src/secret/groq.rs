//! Groq: `gsk_`, and within it the mark `WGdyb3FY`.

use super::alphabet::Alphabet;
use super::chance::drawn;
use super::token::Token;
use crate::{Confidence, Detector, Family, Look, Sight, Wake};

/// API keys.
pub(super) static DETECTOR: Detector = Detector {
    name: "groq_key",
    family: Family::Secret,
    wake: &[Wake::Prefix("gsk_")],
    longest: 64,
    recognise,
    examples: &[],
};

const TOKEN: Token = Token {
    prefixes: &["gsk_"],
    body: Alphabet::ALNUM,
    length: (40, 60),
};

fn recognise(look: &Look<'_>) -> Sight {
    TOKEN.see(look, |body| {
        let marked = body.windows(8).any(|part| part == b"WGdyb3FY");
        drawn(body).then_some(if marked {
            Confidence::High
        } else {
            Confidence::Medium
        })
    })
}

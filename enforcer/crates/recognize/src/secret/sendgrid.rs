//! SendGrid: `SG.`, 22 bytes, a dot and 43 more.

use super::alphabet::Alphabet;
use super::chance::drawn;
use super::token::Token;
use crate::{Confidence, Detector, Family, Look, Sight, Wake};

/// API keys.
pub(super) static DETECTOR: Detector = Detector {
    name: "sendgrid_key",
    family: Family::Secret,
    wake: &[Wake::Prefix("SG.")],
    longest: 69,
    recognise,
    examples: &[],
};

const TOKEN: Token = Token {
    prefixes: &["SG."],
    body: Alphabet::of("A-Za-z0-9._-"),
    length: (66, 66),
};

fn recognise(look: &Look<'_>) -> Sight {
    TOKEN.see(look, |body| {
        let shaped =
            body.get(22) == Some(&b'.') && body.iter().filter(|byte| **byte == b'.').count() == 1;
        (shaped && drawn(body)).then_some(Confidence::High)
    })
}

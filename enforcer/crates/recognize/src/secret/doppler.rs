//! Doppler: `dp.pt.` and its like.

use super::alphabet::Alphabet;
use super::chance::drawn;
use super::token::Token;
use crate::{Confidence, Detector, Family, Look, Sight, Wake};

/// Tokens of people, services and the command line.
pub(super) static DETECTOR: Detector = Detector {
    name: "doppler_token",
    family: Family::Secret,
    wake: &[
        Wake::Prefix("dp.pt."),
        Wake::Prefix("dp.st."),
        Wake::Prefix("dp.ct."),
        Wake::Prefix("dp.sa."),
    ],
    longest: 86,
    recognise,
    examples: &[],
};

const TOKEN: Token = Token {
    prefixes: &["dp.pt.", "dp.st.", "dp.ct.", "dp.sa."],
    body: Alphabet::of("A-Za-z0-9._-"),
    length: (40, 80),
};

fn recognise(look: &Look<'_>) -> Sight {
    TOKEN.see(look, |body| drawn(body).then_some(Confidence::High))
}

//! Atlassian: `ATATT3` and `ATCTT3`, with eight digits of hex at the end.

use super::alphabet::Alphabet;
use super::chance::drawn;
use super::token::Token;
use crate::{Confidence, Detector, Family, Look, Sight, Wake};

/// API tokens.
pub(super) static DETECTOR: Detector = Detector {
    name: "atlassian_token",
    family: Family::Secret,
    wake: &[Wake::Prefix("ATATT3"), Wake::Prefix("ATCTT3")],
    longest: 256,
    recognise,
    examples: &[],
};

const TOKEN: Token = Token {
    prefixes: &["ATATT3", "ATCTT3"],
    body: Alphabet::of("A-Za-z0-9_=-"),
    length: (100, 250),
};

fn recognise(look: &Look<'_>) -> Sight {
    TOKEN.see(look, |body| {
        let sum = body
            .last_chunk::<9>()
            .is_some_and(|[sign, sum @ ..]| *sign == b'=' && Alphabet::HEX.all(sum));
        drawn(body).then_some(if sum {
            Confidence::High
        } else {
            Confidence::Medium
        })
    })
}

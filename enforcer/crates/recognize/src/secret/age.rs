//! age: `AGE-SECRET-KEY-1` and Bech32.

use super::alphabet::Alphabet;
use super::chance::varied;
use super::token::Token;
use crate::{Confidence, Detector, Family, Look, Sight, Wake};

/// Secret keys of the file encryption.
pub(super) static DETECTOR: Detector = Detector {
    name: "age_secret_key",
    family: Family::Secret,
    wake: &[Wake::Prefix("AGE-SECRET-KEY-1")],
    longest: 74,
    recognise,
    examples: &[],
};

const TOKEN: Token = Token {
    prefixes: &["AGE-SECRET-KEY-1"],
    body: Alphabet::of("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"),
    length: (58, 58),
};

fn recognise(look: &Look<'_>) -> Sight {
    TOKEN.see(look, |body| varied(body).then_some(Confidence::High))
}

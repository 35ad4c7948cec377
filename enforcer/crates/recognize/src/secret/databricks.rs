//! Databricks: `dapi` and 32 digits of hex.

use super::alphabet::Alphabet;
use super::chance::drawn;
use super::token::Token;
use crate::{Confidence, Detector, Family, Look, Sight, Wake};

/// Personal access tokens.
pub(super) static DETECTOR: Detector = Detector {
    name: "databricks_token",
    family: Family::Secret,
    wake: &[Wake::Prefix("dapi")],
    longest: 40,
    recognise,
    examples: &[],
};

const TOKEN: Token = Token {
    prefixes: &["dapi"],
    body: Alphabet::of("0-9a-f-"),
    length: (32, 36),
};

fn recognise(look: &Look<'_>) -> Sight {
    TOKEN.see(look, |body| drawn(body).then_some(Confidence::High))
}

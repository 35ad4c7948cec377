//! Docker Hub: `dckr_pat_`, `dckr_oat_`.

use super::alphabet::Alphabet;
use super::chance::drawn;
use super::token::Token;
use crate::{Confidence, Detector, Family, Look, Sight, Wake};

/// Access tokens of people and organisations.
pub(super) static DETECTOR: Detector = Detector {
    name: "docker_hub_token",
    family: Family::Secret,
    wake: &[Wake::Prefix("dckr_pat_"), Wake::Prefix("dckr_oat_")],
    longest: 49,
    recognise,
    examples: &[],
};

const TOKEN: Token = Token {
    prefixes: &["dckr_pat_", "dckr_oat_"],
    body: Alphabet::URL,
    length: (24, 40),
};

fn recognise(look: &Look<'_>) -> Sight {
    TOKEN.see(look, |body| drawn(body).then_some(Confidence::High))
}

//! Supabase: `sbp_`, `sb_secret_`.

use super::alphabet::Alphabet;
use super::chance::drawn;
use super::token::Token;
use crate::{Confidence, Detector, Family, Look, Sight, Wake};

/// Access tokens of people and secret keys of projects.
pub(super) static DETECTOR: Detector = Detector {
    name: "supabase_token",
    family: Family::Secret,
    wake: &[Wake::Prefix("sbp_"), Wake::Prefix("sb_secret_")],
    longest: 70,
    recognise,
    examples: &[],
};

const TOKEN: Token = Token {
    prefixes: &["sbp_", "sb_secret_"],
    body: Alphabet::URL,
    length: (31, 60),
};

fn recognise(look: &Look<'_>) -> Sight {
    TOKEN.see(look, |body| drawn(body).then_some(Confidence::High))
}

//! Hugging Face: `hf_`.

use super::alphabet::Alphabet;
use super::chance::drawn;
use super::token::Token;
use crate::{Confidence, Detector, Family, Look, Sight, Wake};

/// Access tokens of users and of organisations.
pub(super) static DETECTOR: Detector = Detector {
    name: "huggingface_token",
    family: Family::Secret,
    wake: &[Wake::Prefix("hf_"), Wake::Prefix("api_org_")],
    longest: 68,
    recognise,
    examples: &[],
};

const TOKEN: Token = Token {
    prefixes: &["hf_", "api_org_"],
    body: Alphabet::ALNUM,
    length: (30, 60),
};

fn recognise(look: &Look<'_>) -> Sight {
    TOKEN.see(look, |body| drawn(body).then_some(Confidence::High))
}

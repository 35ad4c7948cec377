//! Notion: `ntn_`, and `secret_` of before.

use super::alphabet::Alphabet;
use super::chance::{drawn, random};
use super::token::Token;
use crate::{Confidence, Detector, Family, Look, Sight, Wake};

/// Tokens of integrations.
pub(super) static DETECTOR: Detector = Detector {
    name: "notion_token",
    family: Family::Secret,
    wake: &[Wake::Prefix("ntn_"), Wake::Prefix("secret_")],
    longest: 57,
    recognise,
    examples: &[],
};

const TOKEN: Token = Token {
    prefixes: &["ntn_", "secret_"],
    body: Alphabet::ALNUM,
    length: (43, 50),
};

fn recognise(look: &Look<'_>) -> Sight {
    TOKEN.see_with(look, |prefix, body| match prefix {
        "ntn_" => drawn(body).then_some(Confidence::High),
        _ => (body.len() == 43 && random(body)).then_some(Confidence::Medium),
    })
}

//! HashiCorp Vault: `hvs.`, `hvb.`, `hvr.`.

use super::alphabet::Alphabet;
use super::chance::drawn;
use super::token::Token;
use crate::{Confidence, Detector, Family, Look, Sight, Wake};

/// Service, batch and recovery tokens.
pub(super) static DETECTOR: Detector = Detector {
    name: "vault_token",
    family: Family::Secret,
    wake: &[
        Wake::Prefix("hvs."),
        Wake::Prefix("hvb."),
        Wake::Prefix("hvr."),
    ],
    longest: 304,
    recognise,
    examples: &[],
};

const TOKEN: Token = Token {
    prefixes: &["hvs.", "hvb.", "hvr."],
    body: Alphabet::URL,
    length: (24, 300),
};

fn recognise(look: &Look<'_>) -> Sight {
    TOKEN.see(look, |body| drawn(body).then_some(Confidence::High))
}

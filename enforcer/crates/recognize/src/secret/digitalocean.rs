//! DigitalOcean: `dop_v1_`, `doo_v1_`, `dor_v1_`.

use super::alphabet::Alphabet;
use super::chance::drawn;
use super::token::Token;
use crate::{Confidence, Detector, Family, Look, Sight, Wake};

/// Personal, OAuth and refresh tokens.
pub(super) static DETECTOR: Detector = Detector {
    name: "digitalocean_token",
    family: Family::Secret,
    wake: &[
        Wake::Prefix("dop_v1_"),
        Wake::Prefix("doo_v1_"),
        Wake::Prefix("dor_v1_"),
    ],
    longest: 71,
    recognise,
    examples: &[],
};

const TOKEN: Token = Token {
    prefixes: &["dop_v1_", "doo_v1_", "dor_v1_"],
    body: Alphabet::SMALL_HEX,
    length: (64, 64),
};

fn recognise(look: &Look<'_>) -> Sight {
    TOKEN.see(look, |body| drawn(body).then_some(Confidence::High))
}

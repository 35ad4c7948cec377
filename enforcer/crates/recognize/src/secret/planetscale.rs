//! PlanetScale: `pscale_tkn_`, `pscale_pw_`, `pscale_oauth_`.

use super::alphabet::Alphabet;
use super::chance::drawn;
use super::token::Token;
use crate::{Confidence, Detector, Family, Look, Sight, Wake};

/// Tokens and passwords of databases.
pub(super) static DETECTOR: Detector = Detector {
    name: "planetscale_token",
    family: Family::Secret,
    wake: &[
        Wake::Prefix("pscale_tkn_"),
        Wake::Prefix("pscale_pw_"),
        Wake::Prefix("pscale_oauth_"),
    ],
    longest: 77,
    recognise,
    examples: &[],
};

const TOKEN: Token = Token {
    prefixes: &["pscale_tkn_", "pscale_pw_", "pscale_oauth_"],
    body: Alphabet::of("A-Za-z0-9._=-"),
    length: (32, 64),
};

fn recognise(look: &Look<'_>) -> Sight {
    TOKEN.see(look, |body| drawn(body).then_some(Confidence::High))
}

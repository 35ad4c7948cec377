//! Shopify: `shp`, a kind, and 32 digits of hex.

use super::alphabet::Alphabet;
use super::chance::drawn;
use super::token::Token;
use crate::{Confidence, Detector, Family, Look, Sight, Wake};

/// Access tokens of apps, and their shared secrets.
pub(super) static DETECTOR: Detector = Detector {
    name: "shopify_token",
    family: Family::Secret,
    wake: &[
        Wake::Prefix("shpat_"),
        Wake::Prefix("shpca_"),
        Wake::Prefix("shppa_"),
        Wake::Prefix("shpss_"),
    ],
    longest: 38,
    recognise,
    examples: &[],
};

const TOKEN: Token = Token {
    prefixes: &["shpat_", "shpca_", "shppa_", "shpss_"],
    body: Alphabet::HEX,
    length: (32, 32),
};

fn recognise(look: &Look<'_>) -> Sight {
    TOKEN.see(look, |body| drawn(body).then_some(Confidence::High))
}

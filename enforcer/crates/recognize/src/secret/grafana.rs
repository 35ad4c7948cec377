//! Grafana: `glsa_` of service accounts, `glc_` of its cloud, and keys of before.

use super::alphabet::Alphabet;
use super::chance::drawn;
use super::token::Token;
use crate::{Confidence, Detector, Family, Look, Sight, Wake};

/// Tokens of all kinds.
pub(super) static DETECTOR: Detector = Detector {
    name: "grafana_token",
    family: Family::Secret,
    // The last two are base64 of a JSON object's first key.
    wake: &[
        Wake::Prefix("glsa_"),
        Wake::Prefix("glc_eyJ"),
        Wake::Prefix("eyJrIjoi"),
    ],
    longest: 412,
    recognise,
    examples: &[],
};

const TOKEN: Token = Token {
    prefixes: &["glsa_", "glc_eyJ", "eyJrIjoi"],
    body: Alphabet::of("A-Za-z0-9+/=_"),
    length: (40, 400),
};

fn recognise(look: &Look<'_>) -> Sight {
    TOKEN.see_with(look, |prefix, body| match prefix {
        "glsa_" => (service_account(body) && drawn(body)).then_some(Confidence::High),
        "glc_eyJ" => drawn(body).then_some(Confidence::High),
        _ => drawn(body).then_some(Confidence::Medium),
    })
}

/// 32 letters and digits, and a checksum in hex.
fn service_account(body: &[u8]) -> bool {
    body.len() == 41
        && body[32] == b'_'
        && Alphabet::ALNUM.all(&body[..32])
        && Alphabet::HEX.all(&body[33..])
}

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

/// 32 letters and digits, and a checksum in hex.
const SERVICE_ACCOUNT: Token = Token {
    prefixes: &["glsa_"],
    body: Alphabet::of("A-Za-z0-9_"),
    length: (41, 41),
};

/// JSON, whose base64 has no signs.
const JSON: Token = Token {
    prefixes: &["glc_eyJ", "eyJrIjoi"],
    body: Alphabet::of("A-Za-z0-9="),
    length: (40, 400),
};

fn recognise(look: &Look<'_>) -> Sight {
    match JSON.see_with(look, json) {
        Sight::Nothing => SERVICE_ACCOUNT.see(look, service_account),
        seen => seen,
    }
}

fn json(prefix: &str, body: &[u8]) -> Option<Confidence> {
    let named = prefix.starts_with("glc_");
    drawn(body).then_some(if named {
        Confidence::High
    } else {
        Confidence::Medium
    })
}

fn service_account(body: &[u8]) -> Option<Confidence> {
    let (drawn_part, sum) = body.split_last_chunk::<9>()?;
    let shaped = sum[0] == b'_' && Alphabet::ALNUM.all(drawn_part) && Alphabet::HEX.all(&sum[1..]);
    (shaped && drawn(body)).then_some(Confidence::High)
}

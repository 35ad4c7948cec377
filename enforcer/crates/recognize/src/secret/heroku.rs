//! Heroku: `HRKU-`, and UUIDs that only their names tell from others.

use super::alphabet::Alphabet;
use super::assignment;
use super::chance::drawn;
use super::token::Token;
use crate::{Confidence, Detector, Family, Look, Sight, Wake};

/// Keys of the API of both kinds.
pub(super) static DETECTOR: Detector = Detector {
    name: "heroku_api_key",
    family: Family::Secret,
    wake: &[
        Wake::Prefix("HRKU-"),
        Wake::Key("apikey"),
        Wake::Key("herokukey"),
        Wake::Key("herokutoken"),
        Wake::Key("authtoken"),
    ],
    longest: 85,
    recognise,
    examples: &[],
};

const TOKEN: Token = Token {
    prefixes: &["HRKU-"],
    body: Alphabet::URL,
    length: (36, 80),
};

fn recognise(look: &Look<'_>) -> Sight {
    if look.text[look.at] == b'H' {
        return TOKEN.see(look, |body| drawn(body).then_some(Confidence::High));
    }
    assignment::see(look, 36, |assigned| {
        (assigned.near_has("heroku") && uuid(assigned.value) && drawn(assigned.value))
            .then_some(Confidence::High)
    })
}

/// Digits of hex, 8, 4, 4, 4 and 12.
pub(super) fn uuid(value: &[u8]) -> bool {
    let dash = |(place, byte): (usize, &u8)| match place {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    value.len() == 36 && value.iter().enumerate().all(dash)
}

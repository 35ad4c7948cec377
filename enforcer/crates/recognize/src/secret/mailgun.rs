//! Mailgun: `key-` and 32 digits of hex, and keys in three parts.

use super::alphabet::Alphabet;
use super::assignment;
use super::chance::drawn;
use super::token::{Token, names, near};
use crate::{Confidence, Detector, Family, Look, Sight, Wake};

/// Keys of both kinds.
pub(super) static DETECTOR: Detector = Detector {
    name: "mailgun_key",
    family: Family::Secret,
    wake: &[
        Wake::Prefix("key-"),
        Wake::Key("apikey"),
        Wake::Key("mailgunkey"),
        Wake::Key("signingkey"),
        Wake::Key("sendingkey"),
    ],
    longest: 50,
    recognise,
    examples: &[],
};

const TOKEN: Token = Token {
    prefixes: &["key-"],
    body: Alphabet::SMALL_HEX,
    length: (32, 32),
};

fn recognise(look: &Look<'_>) -> Sight {
    if look.text[look.at] == b'k' {
        return TOKEN.see(look, |body| {
            let named = names(near(look), "mailgun");
            drawn(body).then_some(if named {
                Confidence::High
            } else {
                Confidence::Medium
            })
        });
    }
    assignment::see(look, 50, |assigned| {
        let named = assigned.near_has("mailgun");
        (parts(assigned.value) && drawn(assigned.value)).then_some(if named {
            Confidence::High
        } else {
            Confidence::Medium
        })
    })
}

/// 32, 8 and 8 digits of hex.
fn parts(value: &[u8]) -> bool {
    let lengths = [32, 8, 8];
    let mut parts = value.split(|byte| *byte == b'-');
    lengths.iter().all(|length| {
        parts
            .next()
            .is_some_and(|part| part.len() == *length && Alphabet::SMALL_HEX.all(part))
    }) && parts.next().is_none()
}

//! Twilio: `SK` and 32 digits of hex, and the token of an account.

use super::alphabet::Alphabet;
use super::assignment;
use super::chance::drawn;
use super::token::{Token, names, near};
use crate::{Confidence, Detector, Family, Look, Sight, Wake};

/// Names of keys and accounts, which only words beside them tell from other names.
pub(super) static KEY: Detector = Detector {
    name: "twilio_key",
    family: Family::Secret,
    wake: &[Wake::Prefix("SK"), Wake::Prefix("AC")],
    longest: 34,
    recognise: key,
    examples: &[],
};

/// The token of an account.
pub(super) static AUTH_TOKEN: Detector = Detector {
    name: "twilio_auth_token",
    family: Family::Secret,
    wake: &[
        Wake::Key("authtoken"),
        Wake::Key("twiliotoken"),
        Wake::Key("twiliosecret"),
    ],
    longest: 32,
    recognise: auth_token,
    examples: &[],
};

const TOKEN: Token = Token {
    prefixes: &["SK", "AC"],
    body: Alphabet::SMALL_HEX,
    length: (32, 32),
};

fn key(look: &Look<'_>) -> Sight {
    TOKEN.see(look, |body| {
        let named = names(near(look), "twilio");
        drawn(body).then_some(if named {
            Confidence::Medium
        } else {
            Confidence::Low
        })
    })
}

fn auth_token(look: &Look<'_>) -> Sight {
    assignment::see(look, 34, |assigned| {
        let shaped = assigned.value.len() == 32 && Alphabet::SMALL_HEX.all(assigned.value);
        (shaped && assigned.near_has("twilio") && drawn(assigned.value)).then_some(Confidence::High)
    })
}

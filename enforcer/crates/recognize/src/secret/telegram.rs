//! Telegram: a bot's number, a colon, and 35 bytes that begin with `AA`.

use super::alphabet::Alphabet;
use super::chance::drawn;
use super::token::{Token, near};
use crate::{Confidence, Detector, Family, Look, Sight, Wake};

/// Tokens of bots; the value is what stands behind the colon, for the number is no secret.
pub(super) static DETECTOR: Detector = Detector {
    name: "telegram_bot_token",
    family: Family::Secret,
    wake: &[Wake::Prefix("AA")],
    longest: 35,
    recognise,
    examples: &[],
};

const TOKEN: Token = Token {
    prefixes: &["AA"],
    body: Alphabet::URL,
    length: (33, 33),
};

fn recognise(look: &Look<'_>) -> Sight {
    let Some(before) = near(look).strip_suffix(b":") else {
        return Sight::Nothing;
    };
    let digits = before
        .iter()
        .rev()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    if !(8..=10).contains(&digits) {
        return Sight::Nothing;
    }
    TOKEN.see(look, |body| drawn(body).then_some(Confidence::High))
}

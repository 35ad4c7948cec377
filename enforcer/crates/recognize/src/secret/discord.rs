//! Discord: tokens of bots, and the addresses of webhooks.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::alphabet::Alphabet;
use super::chance::drawn;
use super::token::Token;
use crate::{Confidence, Detector, Family, Look, Sight, Wake};

/// Tokens of bots: the bot's number in base64, a time, and what is drawn, with dots between.
pub(super) static BOT_TOKEN: Detector = Detector {
    name: "discord_bot_token",
    family: Family::Secret,
    // What a number begins with in base64.
    wake: &[
        Wake::Prefix("MT"),
        Wake::Prefix("Mj"),
        Wake::Prefix("Mz"),
        Wake::Prefix("ND"),
        Wake::Prefix("NT"),
        Wake::Prefix("Nj"),
        Wake::Prefix("Nz"),
        Wake::Prefix("OD"),
        Wake::Prefix("OT"),
    ],
    longest: 90,
    recognise: bot_token,
    examples: &[concat!(
        "MTk4NjIyNDgzNDcxOTI1MjQ4",
        ".Cl2FMQ.",
        "ZnCjm1XVW7vRze4b7Cq4se7kKWs"
    )],
};

/// The path of a webhook: who knows it may post.
pub(super) static WEBHOOK: Detector = Detector {
    name: "discord_webhook",
    family: Family::Secret,
    wake: &[Wake::Prefix("webhooks/")],
    longest: 129,
    recognise: webhook,
    examples: &[],
};

const TOKEN: Token = Token {
    prefixes: &["M", "N", "O"],
    body: Alphabet::of("A-Za-z0-9._-"),
    length: (57, 89),
};

const PATH: Token = Token {
    prefixes: &["webhooks/"],
    body: Alphabet::of("A-Za-z0-9/_-"),
    length: (78, 120),
};

fn bot_token(look: &Look<'_>) -> Sight {
    // Nothing is waited for where the first part is no number.
    let first = look.text[look.at..].iter().take(28);
    if first
        .take_while(|byte| **byte != b'.')
        .any(|byte| !Alphabet::ALNUM.has(*byte))
    {
        return Sight::Nothing;
    }
    TOKEN.see(look, |_| {
        bot(&look.text[look.at..]).then_some(Confidence::High)
    })
}

/// A number, a time and what is drawn.
fn bot(text: &[u8]) -> bool {
    let mut parts = text.split(|byte| *byte == b'.');
    let (Some(number), Some(time), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let drawn_length = Alphabet::URL.run(rest, 0, 45);
    number_of(number)
        && (6..=7).contains(&time.len())
        && (27..=45).contains(&drawn_length)
        && drawn(&rest[..drawn_length])
}

/// 17 to 20 digits, in base64.
fn number_of(part: &[u8]) -> bool {
    let mut digits = [0; 24];
    let decoded = STANDARD_NO_PAD.decode_slice(part, &mut digits);
    decoded
        .is_ok_and(|length| (17..=20).contains(&length) && Alphabet::DIGITS.all(&digits[..length]))
}

fn webhook(look: &Look<'_>) -> Sight {
    PATH.see(look, |body| {
        let mut parts = body.splitn(2, |byte| *byte == b'/');
        let (number, token) = (parts.next()?, parts.next()?);
        let shaped = (17..=20).contains(&number.len())
            && Alphabet::DIGITS.all(number)
            && Alphabet::URL.all(token);
        (shaped && token.len() >= 60 && drawn(token)).then_some(Confidence::High)
    })
}

//! Slack: tokens of bots, people and apps, and the addresses of webhooks.

use super::alphabet::Alphabet;
use super::chance::drawn;
use super::token::Token;
use crate::{Confidence, Detector, Family, Look, Sight, Wake};

/// Tokens: `xox` and a kind, `xapp-`.
pub(super) static TOKEN: Detector = Detector {
    name: "slack_token",
    family: Family::Secret,
    wake: &[
        Wake::Prefix("xoxe.xoxb-"),
        Wake::Prefix("xoxe.xoxp-"),
        Wake::Prefix("xoxa-"),
        Wake::Prefix("xoxb-"),
        Wake::Prefix("xoxc-"),
        Wake::Prefix("xoxd-"),
        Wake::Prefix("xoxe-"),
        Wake::Prefix("xoxo-"),
        Wake::Prefix("xoxp-"),
        Wake::Prefix("xoxr-"),
        Wake::Prefix("xoxs-"),
        Wake::Prefix("xapp-"),
    ],
    longest: 310,
    recognise: token,
    examples: &[],
};

const TOKEN_TOKEN: Token = Token {
    prefixes: &[
        "xoxe.xoxb-",
        "xoxe.xoxp-",
        "xoxa-",
        "xoxb-",
        "xoxc-",
        "xoxd-",
        "xoxe-",
        "xoxo-",
        "xoxp-",
        "xoxr-",
        "xoxs-",
        "xapp-",
    ],
    body: Alphabet::of("A-Za-z0-9%-"),
    length: (24, 300),
};

fn token(look: &Look<'_>) -> Sight {
    TOKEN_TOKEN.see(look, |body| {
        let digits = body.iter().filter(|byte| byte.is_ascii_digit()).count();
        (digits >= 8 && drawn(body)).then_some(Confidence::High)
    })
}

/// The path of a webhook: who knows it may post.
pub(super) static WEBHOOK: Detector = Detector {
    name: "slack_webhook",
    family: Family::Secret,
    wake: &[
        Wake::Prefix("services/T"),
        Wake::Prefix("workflows/T"),
        Wake::Prefix("triggers/T"),
    ],
    longest: 131,
    recognise: webhook,
    examples: &[],
};

const WEBHOOK_TOKEN: Token = Token {
    prefixes: &["services/T", "workflows/T", "triggers/T"],
    body: Alphabet::of("A-Za-z0-9/"),
    length: (36, 120),
};

fn webhook(look: &Look<'_>) -> Sight {
    WEBHOOK_TOKEN.see(look, team)
}

/// A team, a channel or an app, and at the end what is secret.
fn team(body: &[u8]) -> Option<Confidence> {
    let mut parts = body.split(|byte| *byte == b'/');
    let named = |part: Option<&[u8]>| part.is_some_and(|part| part.len() >= 7 && NAME.all(part));
    let ours = named(parts.next()) && named(parts.next());
    let secret = parts
        .next_back()
        .is_some_and(|part| part.len() >= 20 && drawn(part));
    (ours && secret).then_some(Confidence::High)
}

const NAME: Alphabet = Alphabet::of("A-Z0-9");

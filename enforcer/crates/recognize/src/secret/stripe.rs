//! Stripe: keys, live and of tests, and what signs webhooks.

use super::alphabet::Alphabet;
use super::chance::drawn;
use super::token::Token;
use crate::{Confidence, Detector, Family, Look, Sight, Wake};

/// Secret and restricted keys; those of tests move no money.
pub(super) static KEY: Detector = Detector {
    name: "stripe_key",
    family: Family::Secret,
    wake: &[
        Wake::Prefix("sk_live_"),
        Wake::Prefix("rk_live_"),
        Wake::Prefix("sk_test_"),
        Wake::Prefix("rk_test_"),
    ],
    longest: 258,
    recognise: key,
    examples: &[],
};

const KEY_TOKEN: Token = Token {
    prefixes: &["sk_live_", "rk_live_", "sk_test_", "rk_test_"],
    body: Alphabet::ALNUM,
    length: (20, 250),
};

fn key(look: &Look<'_>) -> Sight {
    KEY_TOKEN.see_with(look, |prefix, body| {
        let live = prefix.ends_with("live_");
        drawn(body).then_some(if live {
            Confidence::High
        } else {
            Confidence::Low
        })
    })
}

/// Secrets that webhooks are signed with.
pub(super) static WEBHOOK_SECRET: Detector = Detector {
    name: "stripe_webhook_secret",
    family: Family::Secret,
    wake: &[Wake::Prefix("whsec_")],
    longest: 106,
    recognise: webhook_secret,
    examples: &[],
};

const WEBHOOK_SECRET_TOKEN: Token = Token {
    prefixes: &["whsec_"],
    body: Alphabet::BASE64,
    length: (32, 100),
};

fn webhook_secret(look: &Look<'_>) -> Sight {
    WEBHOOK_SECRET_TOKEN.see(look, |body| drawn(body).then_some(Confidence::High))
}

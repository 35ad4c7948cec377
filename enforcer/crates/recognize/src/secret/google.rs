//! Google: keys of APIs, and what OAuth gives out.

use super::alphabet::Alphabet;
use super::chance::drawn;
use super::token::Token;
use crate::{Confidence, Detector, Family, Look, Sight, Wake};

/// Keys of APIs: `AIza` and 35 bytes.
pub(super) static API_KEY: Detector = Detector {
    name: "google_api_key",
    family: Family::Secret,
    wake: &[Wake::Prefix("AIza")],
    longest: 39,
    recognise: api_key,
    examples: &[],
};

const API_KEY_TOKEN: Token = Token {
    prefixes: &["AIza"],
    body: Alphabet::URL,
    length: (35, 35),
};

fn api_key(look: &Look<'_>) -> Sight {
    API_KEY_TOKEN.see(look, |body| drawn(body).then_some(Confidence::High))
}

/// Secrets of OAuth clients.
pub(super) static OAUTH_SECRET: Detector = Detector {
    name: "google_oauth_secret",
    family: Family::Secret,
    wake: &[Wake::Prefix("GOCSPX-")],
    longest: 35,
    recognise: oauth_secret,
    examples: &[],
};

const OAUTH_SECRET_TOKEN: Token = Token {
    prefixes: &["GOCSPX-"],
    body: Alphabet::URL,
    length: (28, 28),
};

fn oauth_secret(look: &Look<'_>) -> Sight {
    OAUTH_SECRET_TOKEN.see(look, |body| drawn(body).then_some(Confidence::High))
}

/// Access tokens, and those that renew them.
pub(super) static OAUTH_TOKEN: Detector = Detector {
    name: "google_oauth_token",
    family: Family::Secret,
    wake: &[Wake::Prefix("ya29."), Wake::Prefix("1//0")],
    longest: 1029,
    recognise: oauth_token,
    examples: &[],
};

const OAUTH_TOKEN_TOKEN: Token = Token {
    prefixes: &["ya29.", "1//0"],
    body: Alphabet::of("A-Za-z0-9._-"),
    length: (40, 1024),
};

fn oauth_token(look: &Look<'_>) -> Sight {
    OAUTH_TOKEN_TOKEN.see(look, |body| drawn(body).then_some(Confidence::High))
}

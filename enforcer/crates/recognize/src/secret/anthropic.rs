//! Anthropic: `sk-ant-`.

use super::alphabet::Alphabet;
use super::chance::drawn;
use super::token::Token;
use crate::{Confidence, Detector, Family, Look, Sight, Wake};

/// Keys of the API and for administration, and OAuth tokens.
pub(super) static DETECTOR: Detector = Detector {
    name: "anthropic_api_key",
    family: Family::Secret,
    wake: &[Wake::Prefix("sk-ant-")],
    longest: 167,
    recognise,
    examples: &[],
};

const TOKEN: Token = Token {
    prefixes: &["sk-ant-"],
    body: Alphabet::URL,
    length: (40, 160),
};

fn recognise(look: &Look<'_>) -> Sight {
    TOKEN.see(look, |body| {
        let known = [b"api".as_slice(), b"admin", b"oat", b"ort", b"sid"]
            .iter()
            .any(|kind| body.starts_with(kind));
        drawn(body).then_some(if known {
            Confidence::High
        } else {
            Confidence::Medium
        })
    })
}

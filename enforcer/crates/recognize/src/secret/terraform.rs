//! Terraform Cloud: fourteen bytes, `.atlasv1.`, and the secret.

use super::alphabet::Alphabet;
use super::chance::drawn;
use super::token::{Token, near};
use crate::{Confidence, Detector, Family, Look, Sight, Wake};

/// Tokens of people, teams and organisations; the value is what stands from `atlasv1` on, which alone is secret.
pub(super) static DETECTOR: Detector = Detector {
    name: "terraform_cloud_token",
    family: Family::Secret,
    wake: &[Wake::Prefix("atlasv1.")],
    longest: 88,
    recognise,
    examples: &[],
};

const TOKEN: Token = Token {
    prefixes: &["atlasv1."],
    body: Alphabet::URL,
    length: (60, 80),
};

fn recognise(look: &Look<'_>) -> Sight {
    let named = near(look)
        .strip_suffix(b".")
        .and_then(|before| before.last_chunk::<14>())
        .is_some_and(|name| Alphabet::ALNUM.all(name));
    if !named {
        return Sight::Nothing;
    }
    TOKEN.see(look, |body| drawn(body).then_some(Confidence::High))
}

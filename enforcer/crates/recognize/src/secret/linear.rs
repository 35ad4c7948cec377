//! Linear: `lin_api_`, `lin_oauth_`.

use super::alphabet::Alphabet;
use super::chance::drawn;
use super::token::Token;
use crate::{Confidence, Detector, Family, Look, Sight, Wake};

/// Personal keys and OAuth tokens.
pub(super) static DETECTOR: Detector = Detector {
    name: "linear_key",
    family: Family::Secret,
    wake: &[Wake::Prefix("lin_api_"), Wake::Prefix("lin_oauth_")],
    longest: 74,
    recognise,
    examples: &[],
};

const TOKEN: Token = Token {
    prefixes: &["lin_api_", "lin_oauth_"],
    body: Alphabet::ALNUM,
    length: (40, 64),
};

fn recognise(look: &Look<'_>) -> Sight {
    TOKEN.see(look, |body| drawn(body).then_some(Confidence::High))
}

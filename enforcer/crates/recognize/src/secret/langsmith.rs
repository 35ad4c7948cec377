//! LangSmith: `lsv2_pt_`, `lsv2_sk_`.

use super::alphabet::Alphabet;
use super::chance::drawn;
use super::token::Token;
use crate::{Confidence, Detector, Family, Look, Sight, Wake};

/// Personal and service keys.
pub(super) static DETECTOR: Detector = Detector {
    name: "langsmith_key",
    family: Family::Secret,
    wake: &[Wake::Prefix("lsv2_pt_"), Wake::Prefix("lsv2_sk_")],
    longest: 58,
    recognise,
    examples: &[],
};

const TOKEN: Token = Token {
    prefixes: &["lsv2_pt_", "lsv2_sk_"],
    body: Alphabet::of("0-9a-f_"),
    length: (40, 50),
};

fn recognise(look: &Look<'_>) -> Sight {
    TOKEN.see(look, |body| drawn(body).then_some(Confidence::High))
}

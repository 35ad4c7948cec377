//! GitHub: tokens of five kinds that prove themselves by a checksum, and fine-grained ones.

use super::alphabet::Alphabet;
use super::chance::drawn;
use super::checksum::base62;
use super::token::{Token, found};
use crate::{Confidence, Detector, Family, Look, Sight, Wake};

/// Tokens of people, OAuth, apps acting for people, installations, and those that renew them.
pub(super) static TOKEN: Detector = Detector {
    name: "github_token",
    family: Family::Secret,
    wake: &[
        Wake::Prefix("ghp_"),
        Wake::Prefix("gho_"),
        Wake::Prefix("ghu_"),
        Wake::Prefix("ghs_"),
        Wake::Prefix("ghr_"),
    ],
    longest: 80,
    recognise: token,
    examples: &[concat!("ghp_", "16C7e42F292c6912E7710c838347Ae178B4a")],
};

/// Personal tokens that open chosen repositories only.
pub(super) static FINE_GRAINED: Detector = Detector {
    name: "github_fine_grained_token",
    family: Family::Secret,
    wake: &[Wake::Prefix("github_pat_")],
    longest: 93,
    recognise: fine_grained,
    examples: &[],
};

/// Without a checksum that holds, which is then no token that works.
const UNPROVEN: Token = Token {
    prefixes: &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"],
    body: Alphabet::ALNUM,
    length: (36, 76),
};

const FINE: Token = Token {
    prefixes: &["github_pat_"],
    body: Alphabet::of("A-Za-z0-9_"),
    length: (82, 82),
};

/// A body's length, and that of what renews tokens.
const LENGTHS: [usize; 2] = [36, 76];

fn token(look: &Look<'_>) -> Sight {
    let start = look.at + 4;
    let whole = UNPROVEN.see(look, |body| drawn(body).then_some(Confidence::Low));
    let Some(known) = look.text.get(start..) else {
        return whole;
    };
    let run = Alphabet::ALNUM.run(known, 0, LENGTHS[1]);
    // What proves itself is one whatever follows; the longer would come first, but a shorter that holds is never by chance.
    let proven = LENGTHS
        .iter()
        .find(|length| run >= **length && base62(&known[..**length]));
    match proven {
        Some(length)
            if UNPROVEN
                .prefixes
                .iter()
                .any(|prefix| look.text[look.at..].starts_with(prefix.as_bytes())) =>
        {
            found(look.at, start + length, Some(Confidence::High))
        }
        _ => whole,
    }
}

fn fine_grained(look: &Look<'_>) -> Sight {
    FINE.see(look, |body| {
        (body.get(22) == Some(&b'_') && drawn(body)).then_some(Confidence::High)
    })
}

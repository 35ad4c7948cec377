//! PuTTY: keys in its own form of file.

use super::alphabet::Alphabet;
use super::token::found;
use crate::{Confidence, Detector, Family, Look, Sight, Wake};

/// A file from its first line to its last.
pub(super) static DETECTOR: Detector = Detector {
    name: "putty_private_key",
    family: Family::Secret,
    wake: &[Wake::Prefix("PuTTY-User-Key-File-")],
    longest: LONGEST,
    recognise,
    examples: &[],
};

const LONGEST: usize = 16 << 10;

const BEGINNING: &[u8] = b"PuTTY-User-Key-File-";

/// Of what is beside the private part.
const KINDS: [&[u8]; 3] = [b"ssh-", b"ecdsa-", b"sk-"];

fn recognise(look: &Look<'_>) -> Sight {
    let known = &look.text[look.at..];
    let known = &known[..known.len().min(LONGEST)];
    let ended = look.last || known.len() == LONGEST;
    if !begins(known) {
        return Sight::Nothing;
    }
    let sum = find(known, b"Private-MAC: ").map(|at| at + b"Private-MAC: ".len());
    match sum.map(|sum| Alphabet::SMALL_HEX.run(known, sum, 64)) {
        Some(end) if end < known.len() || ended => {
            found(look.at, look.at + end, Some(Confidence::High))
        }
        None if ended && find(known, b"Private-Lines: ").is_some() => {
            found(look.at, look.at + known.len(), Some(Confidence::High))
        }
        None if ended => Sight::Nothing,
        Some(_) | None => Sight::Open { start: look.at },
    }
}

/// As far as it is known, this is such a file's first line.
fn begins(known: &[u8]) -> bool {
    let Some(rest) = known.strip_prefix(BEGINNING) else {
        return BEGINNING.starts_with(known);
    };
    let version = matches!(rest.first(), None | Some(b'1'..=b'3'));
    let kind = rest.get(1..).unwrap_or_default();
    let colon = b": ".starts_with(&kind[..kind.len().min(2)]);
    let kind = kind.get(2..).unwrap_or_default();
    version
        && colon
        && KINDS
            .iter()
            .any(|name| name.starts_with(&kind[..kind.len().min(name.len())]))
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|part| part == what)
}

//! Web tokens: a header that is JSON and names an algorithm, what is claimed, and a signature.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::alphabet::Alphabet;
use super::token::found;
use crate::{Confidence, Detector, Family, Look, Sight, Wake};

/// Signed tokens, and encrypted ones.
pub(super) static DETECTOR: Detector = Detector {
    name: "jwt",
    family: Family::Secret,
    // What JSON objects begin with in base64.
    wake: &[
        Wake::Prefix("eyJ"),
        Wake::Prefix("eyAi"),
        Wake::Prefix("ewog"),
        Wake::Prefix("ewoJ"),
    ],
    longest: HEADER + 1 + 4 * PART,
    recognise,
    examples: &[concat!(
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.",
        "eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ.",
        "SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c"
    )],
};

/// A header's most bytes; some carry certificates.
const HEADER: usize = 4096;

/// The most of each other part.
const PART: usize = 6144;

fn recognise(look: &Look<'_>) -> Sight {
    let text = look.text;
    let end = Alphabet::URL.run(text, look.at, HEADER);
    if end - look.at > HEADER {
        return Sight::Nothing;
    }
    if end == text.len() {
        return if look.last {
            Sight::Nothing
        } else {
            Sight::Open { start: look.at }
        };
    }
    let parts = match text[end] {
        b'.' => header(&text[look.at..end]),
        _ => None,
    };
    let Some(parts) = parts else {
        return Sight::Nothing;
    };
    rest(look, end, parts)
}

/// How many parts follow such a header: two, or four where what is claimed is encrypted. None if it is no header.
fn header(part: &[u8]) -> Option<usize> {
    // As `eyJhbGciOiJub25lIn0`, the shortest; `{"alg":` alone is no header.
    let json = URL_SAFE_NO_PAD.decode(part).ok()?;
    let header: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&json).ok()?;
    header.get("alg")?.as_str()?;
    Some(if header.contains_key("enc") { 4 } else { 2 })
}

/// The parts behind a header that ends at `end`.
fn rest(look: &Look<'_>, mut end: usize, parts: usize) -> Sight {
    let text = look.text;
    for part in 0..parts {
        match text.get(end) {
            Some(b'.') => {}
            None if !look.last => return Sight::Open { start: look.at },
            _ => return Sight::Nothing,
        }
        let start = end + 1;
        end = Alphabet::URL.run(text, start, PART - 1);
        if end - start > PART - 1 {
            return Sight::Nothing;
        }
        if end == text.len() && !look.last {
            return Sight::Open { start: look.at };
        }
        // Nothing is claimed: a file's name, not a token. A key that is agreed on leaves its part empty, as does no signature.
        if end == start && part == 0 && parts == 2 {
            return Sight::Nothing;
        }
    }
    found(look.at, end, Some(Confidence::High))
}

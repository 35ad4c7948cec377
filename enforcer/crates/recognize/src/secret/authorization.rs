//! What `Authorization` is given: `Bearer` and a token, `Basic` and a name with a password.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

use super::alphabet::Alphabet;
use super::chance::{random, stand_in};
use super::token::found;
use crate::{Confidence, Detector, Family, Look, Sight, Wake};

/// The value is what stands behind the word.
pub(super) static DETECTOR: Detector = Detector {
    name: "authorization_header",
    family: Family::Secret,
    wake: &[Wake::Key("authorization")],
    longest: LONGEST,
    recognise,
    examples: &[],
};

const LONGEST: usize = 4096;

const BODY: Alphabet = Alphabet::of("A-Za-z0-9._~+/=-");

/// The words, and whether what follows is a name and a password in base64.
const WORDS: [(&str, bool); 5] = [
    ("bearer ", false),
    ("basic ", true),
    ("token ", false),
    ("apikey ", false),
    ("bot ", false),
];

fn recognise(look: &Look<'_>) -> Sight {
    let text = look.text;
    let open = if look.last {
        Sight::Nothing
    } else {
        Sight::Open { start: look.at }
    };
    let from = match look.field {
        Some(_) if look.at == 0 => 0,
        _ => look.at + 1,
    };
    let blanks = text[from..]
        .iter()
        .take(8)
        .take_while(|byte| matches!(byte, b' ' | b'\t' | b'"' | b'\'' | b'\\'));
    let start = from + blanks.count();
    let rest = &text[start..];
    let stands = |word: &str| {
        let known = rest.len().min(word.len());
        rest[..known].eq_ignore_ascii_case(&word.as_bytes()[..known])
    };
    let Some((word, basic)) = WORDS.iter().find(|(word, _)| stands(word)) else {
        return Sight::Nothing;
    };
    if rest.len() <= word.len() {
        return open;
    }
    let start = start + word.len();
    let mut end = BODY.run(text, start, LONGEST);
    if end - start > LONGEST {
        return Sight::Nothing;
    }
    if end == text.len() && !look.last {
        return open;
    }
    while end > start && text[end - 1] == b'.' {
        end -= 1;
    }
    let value = &text[start..end];
    found(start, end, if *basic { named(value) } else { token(value) })
}

/// A name, a colon and a password, in base64.
fn named(value: &[u8]) -> Option<Confidence> {
    let decoded = STANDARD
        .decode(value)
        .or_else(|_| STANDARD_NO_PAD.decode(value))
        .ok()?;
    let colon = decoded.iter().position(|byte| *byte == b':')?;
    let readable = decoded.iter().all(|byte| !byte.is_ascii_control());
    (readable && colon + 1 < decoded.len() && !stand_in(value)).then_some(Confidence::High)
}

fn token(value: &[u8]) -> Option<Confidence> {
    let long = value.len() >= 16 && !stand_in(value);
    (long && random(value)).then_some(Confidence::Medium)
}

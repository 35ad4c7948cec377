//! Tokens of sessions: long base64 that begins with one of a few known bytes.

use crate::secret::alphabet::Alphabet;
use crate::secret::assignment;
use crate::secret::chance::drawn;
use crate::secret::token::Token;
use crate::{Confidence, Detector, Family, Look, Sight, Wake};

/// Tokens, by how they begin and by what they are assigned to.
pub(in crate::secret) static DETECTOR: Detector = Detector {
    name: "aws_session_token",
    family: Family::Secret,
    wake: &[
        Wake::Prefix("IQoJb3JpZ2lu"),
        Wake::Key("sessiontoken"),
        Wake::Key("securitytoken"),
    ],
    longest: MOST,
    recognise,
    examples: &[],
};

const MOST: usize = 2048;

/// `origin`, in base64, as a token's second field.
const TOKEN: Token = Token {
    prefixes: &["IQoJb3JpZ2lu"],
    body: Alphabet::BASE64,
    length: (150, MOST - 12),
};

/// How tokens begin.
const BEGINNINGS: [&[u8]; 4] = [b"IQoJ", b"FwoG", b"FQoG", b"AQoD"];

fn recognise(look: &Look<'_>) -> Sight {
    match look.text[look.at] {
        b'I' if look.field.is_none() || look.at > 0 => {
            TOKEN.see(look, |body| drawn(body).then_some(Confidence::High))
        }
        _ => assignment::see(look, MOST, |assigned| {
            let value = assigned.value;
            let shaped = value.len() >= 100 && Alphabet::BASE64.all(value) && drawn(value);
            let known = BEGINNINGS
                .iter()
                .any(|beginning| value.starts_with(beginning));
            let named = assigned.near_has("aws") || assigned.near_has("amz");
            (shaped && (known || named)).then_some(if known {
                Confidence::High
            } else {
                Confidence::Medium
            })
        }),
    }
}

//! The keys: 40 bytes of base64 that only their names, or the key's name before them, tell from others.

use crate::secret::alphabet::Alphabet;
use crate::secret::chance::random;
use crate::secret::{assignment, token};
use crate::{Confidence, Detector, Family, Look, Sight, Wake};

/// Keys.
pub(in crate::secret) static DETECTOR: Detector = Detector {
    name: "aws_secret_access_key",
    family: Family::Secret,
    wake: &[
        Wake::Key("secretaccesskey"),
        Wake::Key("secretkey"),
        Wake::Key("awssecret"),
        Wake::Key("awskey"),
        Wake::Prefix("AKIA"),
        Wake::Prefix("ASIA"),
    ],
    // With the key's name and what is between.
    longest: 72,
    recognise,
    examples: &[concat!("wJalrXUtnFEMI", "/K7MDENG/", "bPxRfiCYEXAMPLEKEY")],
};

/// A key's length.
const LENGTH: usize = 40;

/// The length of a key's name.
const NAME: usize = 20;

/// So much may stand between a key's name and the key.
const GAP: usize = 12;

const BODY: Alphabet = Alphabet::of("A-Za-z0-9+/");

fn recognise(look: &Look<'_>) -> Sight {
    match look.text[look.at] {
        b'A' => behind_name(look),
        _ => assigned(look),
    }
}

fn assigned(look: &Look<'_>) -> Sight {
    assignment::see(look, LENGTH, |assigned| {
        let named = assigned.near_has("aws")
            || assigned.near_has("akia")
            || assigned.key_ends(&["secretaccesskey"]);
        let meant = named || assigned.key_ends(&["secretkey", "awssecret", "awskey"]);
        judge(
            assigned.value,
            if named {
                Confidence::High
            } else {
                Confidence::Medium
            },
        )
        .filter(|_| meant)
    })
}

fn judge(value: &[u8], confidence: Confidence) -> Option<Confidence> {
    if value.len() != LENGTH || !BODY.all(value) || Alphabet::HEX.all(value) {
        return None;
    }
    match value.ends_with(b"EXAMPLEKEY") {
        true => Some(Confidence::Low),
        false => random(value).then_some(confidence),
    }
}

/// `AKIA…,KEY`, as tables have it.
fn behind_name(look: &Look<'_>) -> Sight {
    let text = look.text;
    let open = |at: usize| at == text.len() && !look.last;
    let end = Alphabet::ALNUM.run(text, look.at, NAME);
    let start = end
        + text[end..]
            .iter()
            .take(GAP + 1)
            .take_while(|byte| between(**byte))
            .count();
    let close = BODY.run(text, start, LENGTH);
    let named = text[look.at..].starts_with(b"AKIA") || text[look.at..].starts_with(b"ASIA");
    if open(end) || (end == look.at + NAME && (open(start) || open(close))) {
        return Sight::Open { start: look.at };
    }
    let apart = start > end && start - end <= GAP && end == look.at + NAME;
    if !named || !apart || close - start != LENGTH || text.get(close) == Some(&b'=') {
        // The text of a field, not a table's line.
        return if look.at == 0 && look.field.is_some() {
            assigned(look)
        } else {
            Sight::Nothing
        };
    }
    token::found(start, close, judge(&text[start..close], Confidence::High))
}

fn between(byte: u8) -> bool {
    matches!(
        byte,
        b' ' | b'\t' | b'\r' | b'\n' | b',' | b';' | b':' | b'|' | b'"' | b'\''
    )
}

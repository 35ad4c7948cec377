//! OpenPGP's private keys.

use crate::secret::armor::{LONGEST, Read, read};
use crate::secret::token::found;
use crate::{Confidence, Detector, Family, Look, Sight, Wake};

/// Blocks of keys.
pub(in crate::secret) static DETECTOR: Detector = Detector {
    name: "pgp_private_key",
    family: Family::Secret,
    wake: &[Wake::Armor],
    longest: LONGEST,
    recognise,
    examples: &[],
};

fn recognise(look: &Look<'_>) -> Sight {
    match read(look, &["PGP PRIVATE KEY BLOCK"]) {
        Read::Key(key) => {
            // A packet's first bit is set: in base64, a letter from `g` on, a digit or a sign.
            let packet = matches!(key.head[0], b'g'..=b'z' | b'0'..=b'9' | b'+' | b'/');
            found(
                key.span.start,
                key.span.end,
                Some(if packet {
                    Confidence::High
                } else {
                    Confidence::Medium
                }),
            )
        }
        other => other.otherwise(look),
    }
}

//! OpenSSH's own form of private keys.

use crate::secret::armor::{LONGEST, Read, read};
use crate::secret::token::found;
use crate::{Confidence, Detector, Family, Look, Sight, Wake};

/// Keys of all kinds.
pub(in crate::secret) static DETECTOR: Detector = Detector {
    name: "openssh_private_key",
    family: Family::Secret,
    wake: &[Wake::Armor],
    longest: LONGEST,
    recognise,
    examples: &[],
};

/// `openssh-key-v1`, in base64.
const MAGIC: &[u8] = b"b3BlbnNzaC1rZXktdjE";

fn recognise(look: &Look<'_>) -> Sight {
    match read(look, &["OPENSSH PRIVATE KEY"]) {
        Read::Key(key) => {
            let ours = key.head.starts_with(MAGIC);
            found(
                key.span.start,
                key.span.end,
                Some(if ours {
                    Confidence::High
                } else {
                    Confidence::Medium
                }),
            )
        }
        other => other.otherwise(look),
    }
}

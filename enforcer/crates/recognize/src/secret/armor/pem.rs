//! PEM: keys in DER, clear or encrypted.

use crate::secret::armor::{Armored, LONGEST, Read, read};
use crate::secret::gcp;
use crate::secret::token::{found, names};
use crate::{Confidence, Detector, Family, Look, Sight, Wake};

/// Keys of all kinds.
pub(in crate::secret) static DETECTOR: Detector = Detector {
    name: "pem_private_key",
    family: Family::Secret,
    wake: &[Wake::Armor],
    longest: LONGEST,
    recognise,
    examples: &[],
};

pub(in crate::secret) const LABELS: [&str; 6] = [
    "PRIVATE KEY",
    "RSA PRIVATE KEY",
    "EC PRIVATE KEY",
    "DSA PRIVATE KEY",
    "ENCRYPTED PRIVATE KEY",
    "ANY PRIVATE KEY",
];

fn recognise(look: &Look<'_>) -> Sight {
    // Google's have a detector of their own.
    if gcp::within(look) {
        return Sight::Nothing;
    }
    match read(look, &LABELS) {
        Read::Key(key) => found(key.span.start, key.span.end, Some(sure(&key))),
        other => other.otherwise(look),
    }
}

/// DER begins with a sequence, whose first six bits are an `M`; what is encrypted in the old way begins with anything.
pub(in crate::secret) fn sure(key: &Armored<'_>) -> Confidence {
    let sequence = key.head[0] == b'M';
    if sequence || names(key.headers, "encrypted") {
        Confidence::High
    } else {
        Confidence::Medium
    }
}

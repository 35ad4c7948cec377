//! Google Cloud: the private key within a service account's document.

use super::armor::{LONGEST, Read, pem, read};
use super::token::{found, near};
use crate::key::{in_word, word_end};
use crate::{Detector, Family, Look, Sight, Wake};

/// The key that stands as `private_key` in JSON.
pub(super) static DETECTOR: Detector = Detector {
    name: "gcp_service_account",
    family: Family::Secret,
    wake: &[Wake::Armor],
    longest: LONGEST,
    recognise,
    examples: &[],
};

fn recognise(look: &Look<'_>) -> Sight {
    if !within(look) {
        return Sight::Nothing;
    }
    match read(look, &pem::LABELS[..1]) {
        Read::Key(key) => found(key.span.start, key.span.end, Some(pem::sure(&key))),
        other => other.otherwise(look),
    }
}

/// The place is the value of `private_key`: a field's text, or in a document in the text.
pub(super) fn within(look: &Look<'_>) -> bool {
    if look.at == 0 {
        return look.field == Some(NAME);
    }
    let near = near(look);
    let before = &near[..word_end(near)];
    let Some(before) = before.strip_suffix(b":") else {
        return false;
    };
    let end = word_end(before);
    before[..end].ends_with(NAME.as_bytes())
        && end < before.len()
        && before[..end - NAME.len()]
            .last()
            .is_none_or(|byte| !in_word(*byte))
}

const NAME: &str = "private_key";

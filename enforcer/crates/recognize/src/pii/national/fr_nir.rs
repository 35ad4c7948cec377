//! French social security numbers (NIR).

use crate::checksum::{mod_97, number};
use crate::context::Words;
use crate::form::{Form, Rule};
use crate::{Confidence::High, Detector, Wake};

pub(crate) static FR_NIR: Detector =
    RULE.detector("fr_nir", &[Wake::Shape(RULE.wakes())], |look| {
        RULE.judge(look)
    });

const RULE: Rule = Rule {
    forms: &[
        Form::new("9 99 99 99 999 999 99", High, High),
        Form::new("9 99 99 9A 999 999 99", High, High),
        Form::new("9999999999999 99", High, High),
        Form::new("999999999999999", High, High),
        Form::new("999999A99999999", High, High),
    ],
    check,
    words: Words::new(&[
        "nir",
        "sécu",
        "secu",
        "sécurité sociale",
        "securite sociale",
        "numéro de sécurité",
        "insee",
        "social security",
    ]),
};

/// Corsica's departments are 2A and 2B, and count as 19 and 18.
fn check(value: &[u8]) -> bool {
    let mut digits = [0; 15];
    if value.len() != digits.len() {
        return false;
    }
    digits.copy_from_slice(value);
    match (value[5], value[6]) {
        (b'2', b'A') => digits[5..7].copy_from_slice(b"19"),
        (b'2', b'B') => digits[5..7].copy_from_slice(b"18"),
        (_, last) if last.is_ascii_digit() => {}
        _ => return false,
    }
    let month = number(&value[3..5]);
    matches!(value[0], b'1' | b'2')
        && (matches!(month, 1..=12 | 20..=42) || month >= 50)
        && 97 - mod_97(digits[..13].iter().copied()) == number(&digits[13..])
}

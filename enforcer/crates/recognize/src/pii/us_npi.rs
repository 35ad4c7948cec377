//! American provider identifiers (NPI).

use crate::checksum::luhn;
use crate::context::Words;
use crate::form::{Form, Rule};
use crate::{
    Confidence::{High, Low},
    Detector, Wake,
};

pub(crate) static US_NPI: Detector = Detector {
    examples: &["1234567893"],
    ..RULE.detector("us_npi", &[Wake::Shape(RULE.wakes())], |look| {
        RULE.judge(look)
    })
};

const RULE: Rule = Rule {
    forms: &[Form::new("9999999999", Low, High)],
    check,
    words: Words::new(&[
        "npi",
        "npi number",
        "national provider",
        "provider id",
        "provider identifier",
    ]),
};

/// Luhn's check over the number with the prefix 80840, whose part of the sum is 24.
fn check(value: &[u8]) -> bool {
    let mut whole = *b"808400000000000";
    whole[5..].copy_from_slice(value);
    matches!(value[0], b'1' | b'2') && luhn(&whole)
}

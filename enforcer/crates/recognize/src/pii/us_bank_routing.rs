//! Numbers by which American banks are reached (ABA).

use crate::checksum::{number, weighted};
use crate::context::Words;
use crate::form::{Form, Rule};
use crate::{
    Confidence::{High, Low},
    Detector, Wake,
};

pub(crate) static US_BANK_ROUTING: Detector = Detector {
    examples: &["021000021", "011000015"],
    ..RULE.detector("us_bank_routing", &[Wake::Shape(RULE.wakes())], |look| {
        RULE.judge(look)
    })
};

const RULE: Rule = Rule {
    forms: &[Form::new("999999999", Low, High)],
    check,
    words: Words::new(&[
        "routing",
        "routing number",
        "aba",
        "aba number",
        "transit number",
        "rtn",
    ]),
};

/// The first two digits are those of a Federal Reserve district, or of a kind of institution.
fn check(value: &[u8]) -> bool {
    let district = number(&value[..2]);
    matches!(district, 1..=12 | 21..=32 | 61..=72 | 80)
        && weighted(value, &[3, 7, 1, 3, 7, 1, 3, 7, 1]).is_multiple_of(10)
}

//! British National Health Service numbers.

use crate::checksum::{digit, weighted};
use crate::context::Words;
use crate::form::{Form, Rule};
use crate::{
    Confidence::{High, Low},
    Detector, Wake,
};

pub(crate) static UK_NHS_NUMBER: Detector =
    RULE.detector("uk_nhs_number", &[Wake::Shape(RULE.wakes())], |look| {
        RULE.judge(look)
    });

const RULE: Rule = Rule {
    forms: &[
        Form::new("999 999 9999", Low, High),
        Form::new("999-999-9999", Low, High),
        Form::new("9999999999", Low, High),
    ],
    check,
    words: Words::new(&["nhs", "nhs number", "nhs no", "health service", "patient"]),
};

fn check(value: &[u8]) -> bool {
    let rest = weighted(value, &[10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11;
    rest != 1 && digit(value[9]) == (11 - rest) % 11
}

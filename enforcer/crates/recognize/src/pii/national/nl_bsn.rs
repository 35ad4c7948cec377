//! Dutch citizen service numbers (BSN).

use crate::checksum::{digit, weighted};
use crate::context::Words;
use crate::form::{Form, Rule};
use crate::{
    Confidence::{High, Low},
    Detector, Wake,
};

pub(crate) static NL_BSN: Detector =
    RULE.detector("nl_bsn", &[Wake::Shape(RULE.wakes())], |look| {
        RULE.judge(look)
    });

const RULE: Rule = Rule {
    forms: &[
        Form::told("9999.99.999", High),
        Form::told("999 999 999", High),
        Form::new("999999999", Low, High),
    ],
    check,
    words: Words::new(&[
        "bsn",
        "burgerservicenummer",
        "burger service nummer",
        "sofinummer",
        "sofi nummer",
    ]),
};

fn check(value: &[u8]) -> bool {
    let sum = weighted(value, &[9, 8, 7, 6, 5, 4, 3, 2]) + 10 * 11 - digit(value[8]);
    sum.is_multiple_of(11)
}

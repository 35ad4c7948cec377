//! Canadian social insurance numbers.

use crate::checksum::luhn;
use crate::context::Words;
use crate::form::{Form, Rule};
use crate::{
    Confidence::{High, Low, Medium},
    Detector, Wake,
};

pub(crate) static CA_SIN: Detector =
    RULE.detector("ca_sin", &[Wake::Shape(RULE.wakes())], |look| {
        RULE.judge(look)
    });

const RULE: Rule = Rule {
    forms: &[
        Form::new("999-999-999", Medium, High),
        Form::new("999 999 999", Low, High),
        Form::new("999999999", Low, High),
    ],
    check,
    words: Words::new(&[
        "sin",
        "sin number",
        "social insurance",
        "nas",
        "assurance sociale",
    ]),
};

fn check(value: &[u8]) -> bool {
    !matches!(value[0], b'0' | b'8') && luhn(value)
}

//! South African identity numbers.

use crate::checksum::{is_day, luhn, number};
use crate::context::Words;
use crate::form::{Form, Rule};
use crate::{
    Confidence::{High, Low},
    Detector, Wake,
};

pub(crate) static ZA_ID: Detector = RULE.detector("za_id", &[Wake::Shape(RULE.wakes())], |look| {
    RULE.judge(look)
});

const RULE: Rule = Rule {
    forms: &[
        Form::new("9999999999999", Low, High),
        Form::told("999999 9999 999", High),
        Form::told("999999 9999 99 9", High),
    ],
    check,
    words: Words::new(&[
        "id number",
        "identity number",
        "said",
        "rsa id",
        "sa id",
        "id no",
        "south african id",
    ]),
};

fn check(value: &[u8]) -> bool {
    is_day(0, number(&value[2..4]), number(&value[4..6]))
        && matches!(value[10], b'0'..=b'2')
        && luhn(value)
}

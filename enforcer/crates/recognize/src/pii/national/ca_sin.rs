//! Canadian social insurance numbers.

use crate::checksum::luhn;
use crate::context::Words;
use crate::form::{Form, Rule};
use crate::{
    Confidence::{High, Low, Medium},
    Detector, Family, Wake,
};

pub(crate) static CA_SIN: Detector = Detector {
    name: "ca_sin",
    family: Family::Pii,
    wake: &[Wake::Shape(RULE.wakes())],
    longest: RULE.longest(),
    recognise: |look| RULE.judge(look),
    examples: &[],
};

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

//! Indian Aadhaar numbers.

use crate::checksum::verhoeff;
use crate::context::Words;
use crate::form::{Form, Rule};
use crate::{
    Confidence::{High, Low, Medium},
    Detector, Wake,
};

pub(crate) static IN_AADHAAR: Detector =
    RULE.detector("in_aadhaar", &[Wake::Shape(RULE.wakes())], |look| {
        RULE.judge(look)
    });

const RULE: Rule = Rule {
    forms: &[
        Form::new("9999 9999 9999", Medium, High),
        Form::new("9999-9999-9999", Low, High),
        Form::new("999999999999", Low, High),
    ],
    check,
    words: Words::new(&["aadhaar", "aadhar", "adhaar", "uidai", "uid number", "आधार"]),
};

fn check(value: &[u8]) -> bool {
    value[0] >= b'2' && verhoeff(value)
}

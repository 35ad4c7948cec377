//! American social security numbers.

use crate::context::Words;
use crate::form::{Form, Rule};
use crate::{
    Confidence::{High, Low, Medium},
    Detector, Wake,
};

pub(crate) static US_SSN: Detector = Detector {
    examples: &["078-05-1120", "123-45-6789", "219-09-9999", "987-65-4321"],
    ..RULE.detector("us_ssn", &[Wake::Shape(RULE.wakes())], |look| {
        RULE.judge(look)
    })
};

const RULE: Rule = Rule {
    forms: &[
        Form::new("999-99-9999", Medium, High),
        Form::new("999 99 9999", Low, High),
        Form::told("999.99.9999", Medium),
        Form::told("999999999", Medium),
    ],
    check,
    words: Words::new(&[
        "ssn",
        "social security",
        "social sec",
        "ss number",
        "ssn number",
        "tax id",
        "taxpayer",
    ]),
};

/// Area, group and serial: none is all zeros, and some areas are given to nobody.
fn check(value: &[u8]) -> bool {
    !matches!(&value[..3], b"000" | b"666")
        && value[0] != b'9'
        && &value[3..5] != b"00"
        && &value[5..] != b"0000"
}

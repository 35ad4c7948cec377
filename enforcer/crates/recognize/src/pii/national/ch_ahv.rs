//! Swiss social insurance numbers (AHV).

use crate::checksum::weighted;
use crate::context::Words;
use crate::form::{Form, Rule};
use crate::{
    Confidence::{High, Low},
    Detector, Wake,
};

pub(crate) static CH_AHV: Detector =
    RULE.detector("ch_ahv", &[Wake::Shape(RULE.wakes())], |look| {
        RULE.judge(look)
    });

const RULE: Rule = Rule {
    forms: &[
        Form::new("999.9999.9999.99", High, High),
        Form::told("999 9999 9999 99", High),
        Form::new("9999999999999", Low, High),
    ],
    check,
    words: Words::new(&[
        "ahv",
        "ahv nr",
        "avs",
        "no avs",
        "sozialversicherungsnummer",
        "social insurance",
    ]),
};

fn check(value: &[u8]) -> bool {
    value.starts_with(b"756")
        && weighted(value, &[1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1]).is_multiple_of(10)
}

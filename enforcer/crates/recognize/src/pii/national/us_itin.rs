//! Numbers of American individual taxpayers (ITIN).

use crate::checksum::number;
use crate::context::Words;
use crate::form::{Form, Rule};
use crate::{
    Confidence::{High, Medium},
    Detector, Wake,
};

pub(crate) static US_ITIN: Detector =
    RULE.detector("us_itin", &[Wake::Shape(RULE.wakes())], |look| {
        RULE.judge(look)
    });

const RULE: Rule = Rule {
    forms: &[
        Form::new("999-99-9999", Medium, High),
        Form::told("999 99 9999", High),
        Form::told("999999999", Medium),
    ],
    check,
    words: Words::new(&["itin", "taxpayer", "tax id", "tax identification"]),
};

fn check(value: &[u8]) -> bool {
    value[0] == b'9' && matches!(number(&value[3..5]), 50..=65 | 70..=88 | 90..=92 | 94..=99)
}

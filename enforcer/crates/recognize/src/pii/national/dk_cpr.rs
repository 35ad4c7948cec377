//! Danish personal identity numbers (CPR).

use crate::checksum::{is_day, number};
use crate::context::Words;
use crate::form::{Form, Rule};
use crate::{Confidence::Medium, Detector, Wake};

pub(crate) static DK_CPR: Detector =
    RULE.detector("dk_cpr", &[Wake::Shape(RULE.wakes())], |look| {
        RULE.judge(look)
    });

const RULE: Rule = Rule {
    forms: &[
        Form::told("999999-9999", Medium),
        Form::told("9999999999", Medium),
    ],
    check,
    words: Words::new(&["cpr", "cpr nummer", "cpr nr", "personnummer"]),
};

/// Those given out since 2007 have no check digit: only the day is sure.
fn check(value: &[u8]) -> bool {
    is_day(0, number(&value[2..4]), number(&value[..2]))
}

//! Indian tax account numbers (PAN).

use crate::context::Words;
use crate::form::{Form, Rule};
use crate::{
    Confidence::{High, Medium},
    Detector, Wake,
};

pub(crate) static IN_PAN: Detector =
    RULE.detector("in_pan", &[Wake::Shape(RULE.wakes())], |look| {
        RULE.judge(look)
    });

const RULE: Rule = Rule {
    forms: &[Form::new("AAAAA9999A", Medium, High)],
    check,
    words: Words::new(&["pan", "pan card", "permanent account", "income tax"]),
};

/// The fourth letter tells what kind of person the account is of.
fn check(value: &[u8]) -> bool {
    b"ABCFGHJLPT".contains(&value[3]) && &value[5..9] != b"0000"
}

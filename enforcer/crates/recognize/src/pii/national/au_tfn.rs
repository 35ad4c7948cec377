//! Australian tax file numbers.

use crate::checksum::weighted;
use crate::context::Words;
use crate::form::{Form, Rule};
use crate::{
    Confidence::{High, Low, Medium},
    Detector, Wake,
};

pub(crate) static AU_TFN: Detector =
    RULE.detector("au_tfn", &[Wake::Shape(RULE.wakes())], |look| {
        RULE.judge(look)
    });

const RULE: Rule = Rule {
    forms: &[
        Form::new("999 999 999", Low, High),
        Form::told("999-999-999", High),
        Form::new("999999999", Low, High),
        Form::told("99999999", Medium),
    ],
    check,
    words: Words::new(&["tfn", "tax file", "tax file number"]),
};

fn check(value: &[u8]) -> bool {
    let weights: &[u32] = match value.len() {
        8 => &[10, 7, 8, 4, 6, 3, 5, 1],
        _ => &[1, 4, 3, 7, 5, 8, 6, 9, 10],
    };
    weighted(value, weights).is_multiple_of(11)
}

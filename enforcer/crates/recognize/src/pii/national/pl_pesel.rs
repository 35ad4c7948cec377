//! Polish identity numbers (PESEL).

use crate::checksum::{is_day, number, weighted};
use crate::context::Words;
use crate::form::{Form, Rule};
use crate::{
    Confidence::{High, Low},
    Detector, Wake,
};

pub(crate) static PL_PESEL: Detector =
    RULE.detector("pl_pesel", &[Wake::Shape(RULE.wakes())], |look| {
        RULE.judge(look)
    });

const RULE: Rule = Rule {
    forms: &[Form::new("99999999999", Low, High)],
    check,
    words: Words::new(&["pesel", "numer pesel"]),
};

/// The month carries the century: 80 for the 19th, nothing for the 20th, then 20, 40 and 60.
fn check(value: &[u8]) -> bool {
    let month = number(&value[2..4]);
    let year = [1900, 2000, 2100, 2200, 1800][(month / 20) as usize % 5] + number(&value[..2]);
    is_day(year, month % 20, number(&value[4..6]))
        && weighted(value, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]).is_multiple_of(10)
}

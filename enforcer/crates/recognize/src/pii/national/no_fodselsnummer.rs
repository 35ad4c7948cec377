//! Norwegian national identity numbers.

use crate::checksum::{is_day, number, weighted};
use crate::context::Words;
use crate::form::{Form, Rule};
use crate::{
    Confidence::{High, Low},
    Detector, Wake,
};

pub(crate) static NO_FODSELSNUMMER: Detector =
    RULE.detector("no_fodselsnummer", &[Wake::Shape(RULE.wakes())], |look| {
        RULE.judge(look)
    });

const RULE: Rule = Rule {
    forms: &[
        Form::told("999999 99999", High),
        Form::new("99999999999", Low, High),
    ],
    check,
    words: Words::new(&["fødselsnummer", "fodselsnummer", "personnummer", "fnr"]),
};

/// Forty is added to the day of those who are numbered for the time being.
fn check(value: &[u8]) -> bool {
    let day = number(&value[..2]);
    let day = if day > 40 { day - 40 } else { day };
    is_day(0, number(&value[2..4]), day)
        && weighted(value, &[3, 7, 6, 1, 8, 9, 4, 5, 2, 1]).is_multiple_of(11)
        && weighted(value, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11)
}

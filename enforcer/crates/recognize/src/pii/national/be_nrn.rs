//! Belgian national register numbers.

use crate::checksum::number;
use crate::context::Words;
use crate::form::{Form, Rule};
use crate::{
    Confidence::{High, Low, Medium},
    Detector, Wake,
};

pub(crate) static BE_NRN: Detector =
    RULE.detector("be_nrn", &[Wake::Shape(RULE.wakes())], |look| {
        RULE.judge(look)
    });

const RULE: Rule = Rule {
    forms: &[
        Form::new("99.99.99-999.99", High, High),
        Form::new("999999-999-99", Medium, High),
        Form::new("99999999999", Low, High),
    ],
    check,
    words: Words::new(&[
        "rijksregister",
        "rijksregisternummer",
        "registre national",
        "numéro national",
        "numero national",
        "nationalregisternummer",
        "insz",
        "niss",
        "national number",
        "national register",
    ]),
};

/// Months are 20 or 40 greater in numbers that are given out before the sex is known; the check counts a 2 before those born since 2000.
fn check(value: &[u8]) -> bool {
    let month = number(&value[2..4]) % 20;
    let day = number(&value[4..6]);
    let first = number(&value[..9]);
    let rest = number(&value[9..]);
    month <= 12
        && day <= 31
        && number(&value[6..9]) > 0
        && (97 - first % 97 == rest || 97 - (2_000_000_000 + first) % 97 == rest)
}

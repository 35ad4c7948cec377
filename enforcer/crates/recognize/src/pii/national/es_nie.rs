//! Spanish identity numbers of foreigners (NIE).

use crate::checksum::number;
use crate::context::Words;
use crate::form::{Form, Rule};
use crate::{
    Confidence::{High, Medium},
    Detector, Wake,
};

pub(crate) static ES_NIE: Detector =
    RULE.detector("es_nie", &[Wake::Shape(RULE.wakes())], |look| {
        RULE.judge(look)
    });

const RULE: Rule = Rule {
    forms: &[
        Form::new("A9999999A", Medium, High),
        Form::told("A9999999-A", High),
    ],
    check,
    words: Words::new(&[
        "nie",
        "nif",
        "extranjero",
        "documento",
        "identidad",
        "identificación",
        "identificacion",
    ]),
};

fn check(value: &[u8]) -> bool {
    let first = match value[0] {
        b'X' => b'0',
        b'Y' => b'1',
        b'Z' => b'2',
        _ => return false,
    };
    let mut digits = [first; 8];
    digits[1..].copy_from_slice(&value[1..8]);
    value[8] == letter(&digits)
}

/// The letter that checks eight digits.
pub(super) fn letter(digits: &[u8]) -> u8 {
    b"TRWAGMYFPDXBNJZSQVHLCKE"[(number(digits) % 23) as usize]
}

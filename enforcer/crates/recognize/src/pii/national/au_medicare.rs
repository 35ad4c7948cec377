//! Australian Medicare card numbers.

use crate::checksum::{digit, weighted};
use crate::context::Words;
use crate::form::{Form, Rule};
use crate::{
    Confidence::{High, Low, Medium},
    Detector, Wake,
};

pub(crate) static AU_MEDICARE: Detector =
    RULE.detector("au_medicare", &[Wake::Shape(RULE.wakes())], |look| {
        RULE.judge(look)
    });

const RULE: Rule = Rule {
    forms: &[
        Form::new("9999 99999 9/9", Medium, High),
        Form::new("9999 99999 9", Low, High),
        Form::new("9999-99999-9", Low, High),
        Form::new("9999999999", Low, High),
    ],
    check,
    words: Words::new(&["medicare", "medicare card", "medicare number"]),
};

fn check(value: &[u8]) -> bool {
    (b'2'..=b'6').contains(&value[0])
        && weighted(value, &[1, 3, 7, 9, 1, 3, 7, 9]) % 10 == digit(value[8])
        && value[9] != b'0'
}

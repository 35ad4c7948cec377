//! Portuguese tax numbers (NIF).

use crate::checksum::{digit, number, weighted};
use crate::context::Words;
use crate::form::{Form, Rule};
use crate::{
    Confidence::{High, Low},
    Detector, Wake,
};

pub(crate) static PT_NIF: Detector =
    RULE.detector("pt_nif", &[Wake::Shape(RULE.wakes())], |look| {
        RULE.judge(look)
    });

const RULE: Rule = Rule {
    forms: &[
        Form::told("999 999 999", High),
        Form::new("999999999", Low, High),
    ],
    check,
    words: Words::new(&[
        "nif",
        "contribuinte",
        "número fiscal",
        "numero fiscal",
        "contribuinte fiscal",
    ]),
};

fn check(value: &[u8]) -> bool {
    let check = match weighted(value, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11 {
        0 | 1 => 0,
        rest => 11 - rest,
    };
    !matches!(number(&value[..2]), 0..=9 | 40..=44 | 46..=49) && digit(value[8]) == check
}

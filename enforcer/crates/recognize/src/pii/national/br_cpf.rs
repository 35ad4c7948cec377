//! Brazilian tax numbers of persons (CPF).

use crate::checksum::{digit, weighted};
use crate::context::Words;
use crate::form::{Form, Rule};
use crate::{
    Confidence::{High, Low},
    Detector, Wake,
};

pub(crate) static BR_CPF: Detector =
    RULE.detector("br_cpf", &[Wake::Shape(RULE.wakes())], |look| {
        RULE.judge(look)
    });

const RULE: Rule = Rule {
    forms: &[
        Form::new("999.999.999-99", High, High),
        Form::new("99999999999", Low, High),
    ],
    check,
    words: Words::new(&["cpf", "cadastro de pessoa", "contribuinte"]),
};

fn check(value: &[u8]) -> bool {
    last_digit(&value[..10], &[10, 9, 8, 7, 6, 5, 4, 3, 2])
        && last_digit(value, &[11, 10, 9, 8, 7, 6, 5, 4, 3, 2])
}

/// The last digit checks the others by their weights.
pub(super) fn last_digit(value: &[u8], weights: &[u32]) -> bool {
    let check = match weighted(value, weights) % 11 {
        0 | 1 => 0,
        rest => 11 - rest,
    };
    value.last().is_some_and(|last| digit(*last) == check)
}

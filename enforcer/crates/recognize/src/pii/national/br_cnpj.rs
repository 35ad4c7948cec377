//! Brazilian tax numbers of companies (CNPJ).

use crate::context::Words;
use crate::form::{Form, Rule};
use crate::{
    Confidence::{High, Low},
    Detector, Wake,
};

pub(crate) static BR_CNPJ: Detector =
    RULE.detector("br_cnpj", &[Wake::Shape(RULE.wakes())], |look| {
        RULE.judge(look)
    });

const RULE: Rule = Rule {
    forms: &[
        Form::new("99.999.999/9999-99", High, High),
        Form::new("99999999999999", Low, High),
    ],
    check,
    words: Words::new(&["cnpj", "cadastro nacional"]),
};

fn check(value: &[u8]) -> bool {
    const WEIGHTS: [u32; 13] = [6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2];
    super::br_cpf::last_digit(&value[..13], &WEIGHTS[1..])
        && super::br_cpf::last_digit(value, &WEIGHTS)
}

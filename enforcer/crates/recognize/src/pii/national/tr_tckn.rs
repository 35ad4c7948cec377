//! Turkish identity numbers.

use crate::checksum::digit;
use crate::context::Words;
use crate::form::{Form, Rule};
use crate::{
    Confidence::{High, Low},
    Detector, Wake,
};

pub(crate) static TR_TCKN: Detector =
    RULE.detector("tr_tckn", &[Wake::Shape(RULE.wakes())], |look| {
        RULE.judge(look)
    });

const RULE: Rule = Rule {
    forms: &[Form::new("99999999999", Low, High)],
    check,
    words: Words::new(&[
        "tckn",
        "tc kimlik",
        "t.c. kimlik",
        "kimlik",
        "kimlik no",
        "kimlik numarası",
        "vatandaşlık",
    ]),
};

fn check(value: &[u8]) -> bool {
    let sum = |from: usize| {
        value[from..9]
            .iter()
            .step_by(2)
            .map(|byte| digit(*byte))
            .sum::<u32>()
    };
    let (odd, even) = (sum(0), sum(1));
    let ten = (odd * 7 + 100 - even) % 10;
    value[0] != b'0' && digit(value[9]) == ten && digit(value[10]) == (odd + even + ten) % 10
}

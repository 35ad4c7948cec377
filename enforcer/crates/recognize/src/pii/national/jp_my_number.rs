//! Japanese individual numbers (My Number).

use crate::checksum::{digit, weighted};
use crate::context::Words;
use crate::form::{Form, Rule};
use crate::{
    Confidence::{High, Low},
    Detector, Wake,
};

pub(crate) static JP_MY_NUMBER: Detector =
    RULE.detector("jp_my_number", &[Wake::Shape(RULE.wakes())], |look| {
        RULE.judge(look)
    });

const RULE: Rule = Rule {
    forms: &[
        Form::told("9999 9999 9999", High),
        Form::told("9999-9999-9999", High),
        Form::new("999999999999", Low, High),
    ],
    check,
    words: Words::new(&[
        "my number",
        "マイナンバー",
        "個人番号",
        "individual number",
        "kojin bango",
    ]),
};

fn check(value: &[u8]) -> bool {
    let check = match weighted(value, &[6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11 {
        0 | 1 => 0,
        rest => 11 - rest,
    };
    digit(value[11]) == check
}

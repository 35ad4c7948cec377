//! Irish personal public service numbers.

use crate::checksum::weighted;
use crate::context::Words;
use crate::form::{Form, Rule};
use crate::{
    Confidence::{High, Low},
    Detector, Wake,
};

pub(crate) static IE_PPS: Detector =
    RULE.detector("ie_pps", &[Wake::Shape(RULE.wakes())], |look| {
        RULE.judge(look)
    });

const RULE: Rule = Rule {
    forms: &[
        Form::new("9999999A", Low, High),
        Form::new("9999999AA", Low, High),
    ],
    check,
    words: Words::new(&[
        "pps",
        "ppsn",
        "pps number",
        "pps no",
        "personal public service",
    ]),
};

fn check(value: &[u8]) -> bool {
    let second = match value.get(8) {
        Some(b'W') | None => 0,
        Some(letter @ b'A'..=b'I') => 9 * u32::from(letter - b'A' + 1),
        Some(_) => return false,
    };
    let rest = (weighted(&value[..7], &[8, 7, 6, 5, 4, 3, 2]) + second) % 23;
    value[7] == b"WABCDEFGHIJKLMNOPQRSTUV"[rest as usize]
}

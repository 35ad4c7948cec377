//! Chinese resident identity numbers.

use crate::checksum::{is_day, number, weighted};
use crate::context::Words;
use crate::form::{Form, Rule};
use crate::{Confidence::High, Detector, Wake};

pub(crate) static CN_RESIDENT_ID: Detector =
    RULE.detector("cn_resident_id", &[Wake::Shape(RULE.wakes())], |look| {
        RULE.judge(look)
    });

const RULE: Rule = Rule {
    forms: &[
        Form::new("999999999999999999", High, High),
        Form::new("99999999999999999A", High, High),
    ],
    check,
    words: Words::new(&[
        "身份证",
        "身份證",
        "公民身份号码",
        "居民身份证",
        "resident id",
        "identity card",
        "id card",
        "id number",
    ]),
};

/// Region, day of birth, and a check digit that may be an X.
fn check(value: &[u8]) -> bool {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let year = number(&value[6..10]);
    (b'1'..=b'9').contains(&value[0])
        && (1900..2100).contains(&year)
        && is_day(year, number(&value[10..12]), number(&value[12..14]))
        && value[17] == b"10X98765432"[(weighted(&value[..17], &WEIGHTS) % 11) as usize]
}

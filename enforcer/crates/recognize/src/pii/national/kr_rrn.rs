//! Korean resident registration numbers.

use crate::checksum::{digit, is_day, number, weighted};
use crate::context::Words;
use crate::form::{Form, Rule};
use crate::{
    Confidence::{High, Low, Medium},
    Detector, Wake,
};

pub(crate) static KR_RRN: Detector =
    RULE.detector("kr_rrn", &[Wake::Shape(RULE.wakes())], |look| {
        RULE.judge(look)
    });

const RULE: Rule = Rule {
    forms: &[
        Form::new("999999-9999999", Medium, High),
        Form::new("9999999999999", Low, High),
    ],
    check,
    words: Words::new(&[
        "rrn",
        "resident registration",
        "주민등록번호",
        "주민번호",
        "jumin",
    ]),
};

/// Numbers given out since October 2020 have no check digit: only the day, the century's digit and the form are sure.
fn check(value: &[u8]) -> bool {
    let day = is_day(0, number(&value[2..4]), number(&value[4..6]));
    let right = (11 - weighted(value, &[2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]) % 11) % 10;
    let young = number(&value[..2]) >= 20 && matches!(value[6], b'3' | b'4' | b'7' | b'8');
    day && value[6] != b'0' && value[6] != b'9' && (digit(value[12]) == right || young)
}

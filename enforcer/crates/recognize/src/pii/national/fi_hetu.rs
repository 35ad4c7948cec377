//! Finnish personal identity codes (HETU).

use crate::checksum::{is_day, number};
use crate::context::Words;
use crate::form::{Form, Rule};
use crate::{
    Confidence::{High, Medium},
    Detector, Wake,
};

pub(crate) static FI_HETU: Detector =
    RULE.detector("fi_hetu", &[Wake::Shape(RULE.wakes())], |look| {
        RULE.judge(look)
    });

const RULE: Rule = Rule {
    forms: &[
        Form::new("999999-999A", High, High),
        Form::new("999999-9999", Medium, High),
        Form::new("999999+999A", High, High),
        Form::new("999999A999A", High, High),
        Form::new("999999A9999", Medium, High),
    ],
    check,
    words: Words::new(&[
        "hetu",
        "henkilötunnus",
        "henkilotunnus",
        "personbeteckning",
        "sotu",
    ]),
};

/// The sign between date and number tells the century; new signs stand beside the old ones since 2023.
fn check(value: &[u8]) -> bool {
    let (date, rest) = value.split_at(6);
    let rest = match rest {
        [sign, rest @ ..] if rest.len() == 4 && b"ABCDEFYXWVU".contains(sign) => rest,
        rest if rest.len() == 4 => rest,
        _ => return false,
    };
    let (own, last) = rest.split_at(3);
    if !own.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let left = (number(date) * 1000 + number(own)) % 31;
    is_day(0, number(&date[2..4]), number(&date[..2]))
        && number(own) >= 2
        && last[0] == b"0123456789ABCDEFHJKLMNPRSTUVWXY"[left as usize]
}

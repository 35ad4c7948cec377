//! Swedish personal identity numbers.

use crate::checksum::{is_day, luhn, number};
use crate::context::Words;
use crate::form::{Form, Rule};
use crate::{
    Confidence::{High, Low, Medium},
    Detector, Wake,
};

pub(crate) static SE_PERSONNUMMER: Detector =
    RULE.detector("se_personnummer", &[Wake::Shape(RULE.wakes())], |look| {
        RULE.judge(look)
    });

const RULE: Rule = Rule {
    forms: &[
        Form::new("99999999-9999", Medium, High),
        Form::new("99999999+9999", Medium, High),
        Form::new("999999-9999", Medium, High),
        Form::new("999999+9999", Medium, High),
        Form::new("999999999999", Low, High),
        Form::new("9999999999", Low, High),
    ],
    check,
    words: Words::new(&[
        "personnummer",
        "person nummer",
        "personnr",
        "samordningsnummer",
        "personal number",
        "personal identity",
    ]),
};

/// Sixty is added to the day of those who are numbered for the time being.
fn check(value: &[u8]) -> bool {
    let short = &value[value.len() - 10..];
    let century = number(&value[..value.len() - 10]);
    let year = century * 100 + number(&short[..2]);
    let day = number(&short[4..6]);
    let day = if day > 60 { day - 60 } else { day };
    matches!(century, 0 | 18..=20) && is_day(year, number(&short[2..4]), day) && luhn(short)
}

//! British National Insurance numbers.

use crate::context::Words;
use crate::form::{Form, Rule};
use crate::{
    Confidence::{High, Medium},
    Detector, Wake,
};

pub(crate) static UK_NINO: Detector =
    RULE.detector("uk_nino", &[Wake::Shape(RULE.wakes())], |look| {
        RULE.judge(look)
    });

const RULE: Rule = Rule {
    forms: &[
        Form::new("AA999999A", Medium, High),
        Form::new("AA 99 99 99 A", Medium, High),
        Form::told("AA 999999 A", High),
    ],
    check,
    words: Words::new(&[
        "nino",
        "ni number",
        "ni no",
        "national insurance",
        "insurance number",
    ]),
};

/// Letters that HMRC gives out; the last one tells the quarter in which the card was once due.
fn check(value: &[u8]) -> bool {
    let [first, second, .., last] = value else {
        return false;
    };
    !b"DFIQUV".contains(first)
        && !b"DFIOQUV".contains(second)
        && ![b"BG", b"GB", b"NK", b"KN", b"TN", b"NT", b"ZZ"].contains(&&[*first, *second])
        && (b'A'..=b'D').contains(last)
}

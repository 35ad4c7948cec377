//! Numbers of passports, which have no check of their own outside the machine-readable zone.

use crate::context::Words;
use crate::form::{Form, Rule};
use crate::{Confidence::Medium, Detector, Wake};

pub(crate) static PASSPORT: Detector =
    RULE.detector("passport", &[Wake::Shape(RULE.wakes())], |look| {
        RULE.judge(look)
    });

const RULE: Rule = Rule {
    forms: &[
        Form::told("AA9999999", Medium),
        Form::told("A99999999", Medium),
        Form::told("A9999999", Medium),
        Form::told("AA999999", Medium),
        Form::told("99AA99999", Medium),
        Form::told("999999999", Medium),
    ],
    check,
    words: Words::new(&[
        "passport",
        "passport number",
        "passport no",
        "passeport",
        "pasaporte",
        "passaporto",
        "passaporte",
        "reisepass",
        "reisepassnummer",
        "paspoort",
        "paszport",
        "пас",
        "护照",
        "旅券",
    ]),
};

fn check(value: &[u8]) -> bool {
    value.iter().any(|byte| (b'1'..=b'9').contains(byte))
}

//! Numbers of patients' records, which every hospital gives out its own way.

use crate::context::Words;
use crate::form::{Form, Rule};
use crate::{Confidence::Medium, Detector, Wake};

pub(crate) static MEDICAL_RECORD_NUMBER: Detector = RULE.detector(
    "medical_record_number",
    &[Wake::Shape(RULE.wakes())],
    |look| RULE.judge(look),
);

const RULE: Rule = Rule {
    forms: &[
        Form::told("AAA999999", Medium),
        Form::told("AA999999", Medium),
        Form::told("A99999999", Medium),
        Form::told("A9999999", Medium),
        Form::told("A999999", Medium),
        Form::told("999-999-999", Medium),
        Form::told("999-99-99", Medium),
        Form::told("9999999999", Medium),
        Form::told("999999999", Medium),
        Form::told("99999999", Medium),
        Form::told("9999999", Medium),
        Form::told("999999", Medium),
    ],
    check,
    words: Words::new(&[
        "mrn",
        "medical record",
        "medical record number",
        "patient id",
        "patient number",
        "patient no",
        "patient identifier",
        "health record",
        "record number",
        "chart number",
        "hospital number",
    ]),
};

fn check(value: &[u8]) -> bool {
    value.len() >= 6
}

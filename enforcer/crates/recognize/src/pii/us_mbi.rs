//! American Medicare beneficiary identifiers.

use crate::context::Words;
use crate::form::{Form, Rule};
use crate::{
    Confidence::{High, Medium},
    Detector, Family, Look, Sight, Wake,
};

pub(crate) static US_MBI: Detector = Detector {
    name: "us_mbi",
    family: Family::Pii,
    wake: &[Wake::Shape(RULE.wakes())],
    longest: RULE.longest(),
    recognise,
    examples: &["1EG4-TE5-MK73"],
};

const RULE: Rule = Rule {
    forms: &[
        Form::new("9AA9-AA9-AA99", High, High),
        Form::new("9AA9AA9AA99", Medium, High),
        Form::new("9A99-AA9-AA99", High, High),
        Form::new("9A99AA9AA99", Medium, High),
        Form::new("9AA9-A99-AA99", High, High),
        Form::new("9AA9A99AA99", Medium, High),
        Form::new("9A99-A99-AA99", High, High),
        Form::new("9A99A99AA99", Medium, High),
    ],
    check,
    words: Words::new(&["mbi", "medicare", "beneficiary"]),
};

/// Runs of one digit are many: one look at the places behind it before the forms are tried.
fn recognise(look: &Look<'_>) -> Sight {
    match look.text.get(look.at + 1..) {
        Some([second, ..]) if !second.is_ascii_uppercase() => Sight::Nothing,
        Some([_, _, fourth, ..]) if !fourth.is_ascii_digit() => Sight::Nothing,
        Some(_) | None => RULE.judge(look),
    }
}

/// Letters that look like digits are not used.
fn check(value: &[u8]) -> bool {
    value[0] != b'0' && !value.iter().any(|byte| b"SLOIBZ".contains(byte))
}

//! Spanish identity numbers (DNI).

use crate::context::Words;
use crate::form::{Form, Rule};
use crate::{
    Confidence::{High, Medium},
    Detector, Family, Wake,
};

pub(crate) static ES_DNI: Detector = Detector {
    name: "es_dni",
    family: Family::Pii,
    wake: &[Wake::Shape(RULE.wakes())],
    longest: RULE.longest(),
    recognise: |look| RULE.judge(look),
    examples: &[],
};

const RULE: Rule = Rule {
    forms: &[
        Form::new("99999999A", Medium, High),
        Form::new("99999999-A", Medium, High),
        Form::told("99.999.999-A", High),
        Form::told("99999999 A", High),
    ],
    check,
    words: Words::new(&[
        "dni",
        "nif",
        "documento",
        "identidad",
        "identificación",
        "identificacion",
    ]),
};

fn check(value: &[u8]) -> bool {
    value[8] == super::es_nie::letter(&value[..8])
}

//! Spanish identity numbers (DNI).

use crate::context::Words;
use crate::form::{Form, Rule};
use crate::{
    Confidence::{High, Medium},
    Detector, Wake,
};

pub(crate) static ES_DNI: Detector =
    RULE.detector("es_dni", &[Wake::Shape(RULE.wakes())], |look| {
        RULE.judge(look)
    });

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

//! American prescribers' numbers (DEA).

use crate::checksum::{digit, weighted};
use crate::context::Words;
use crate::form::{Form, Rule};
use crate::{
    Confidence::{High, Medium},
    Detector, Wake,
};

pub(crate) static US_DEA: Detector = Detector {
    examples: &["AB1234563"],
    ..RULE.detector("us_dea", &[Wake::Shape(RULE.wakes())], |look| {
        RULE.judge(look)
    })
};

const RULE: Rule = Rule {
    forms: &[Form::new("AA9999999", Medium, High)],
    check,
    words: Words::new(&["dea", "dea number", "dea no", "prescriber"]),
};

/// The last digit of the odd places' sum and twice that of the even ones.
fn check(value: &[u8]) -> bool {
    let sum = weighted(&value[2..], &[1, 2, 1, 2, 1, 2]);
    b"ABCDEFGHJKLMPRSTUX".contains(&value[0]) && digit(value[8]) == sum % 10
}

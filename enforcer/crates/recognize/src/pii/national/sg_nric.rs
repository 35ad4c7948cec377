//! Singaporean identity numbers (NRIC and FIN).

use crate::checksum::weighted;
use crate::context::Words;
use crate::form::{Form, Rule};
use crate::{
    Confidence::{High, Medium},
    Detector, Wake,
};

pub(crate) static SG_NRIC: Detector =
    RULE.detector("sg_nric", &[Wake::Shape(RULE.wakes())], |look| {
        RULE.judge(look)
    });

const RULE: Rule = Rule {
    forms: &[Form::new("A9999999A", Medium, High)],
    check,
    words: Words::new(&[
        "nric",
        "fin",
        "fin number",
        "identity card",
        "ic number",
        "ic no",
    ]),
};

fn check(value: &[u8]) -> bool {
    let (more, letters): (u32, &[u8; 11]) = match value[0] {
        b'S' => (0, b"JZIHGFEDCBA"),
        b'T' => (4, b"JZIHGFEDCBA"),
        b'F' => (0, b"XWUTRQPNMLK"),
        b'G' => (4, b"XWUTRQPNMLK"),
        b'M' => (3, b"KLJNPQRTUWX"),
        _ => return false,
    };
    let rest = (more + weighted(&value[1..8], &[2, 7, 6, 5, 4, 3, 2])) % 11;
    let rest = if value[0] == b'M' { 10 - rest } else { rest };
    value[8] == letters[rest as usize]
}

//! Mexican population registry codes (CURP).

use crate::checksum::{digit, is_day, number};
use crate::context::Words;
use crate::form::{Form, Rule};
use crate::{Confidence::High, Detector, Wake};

pub(crate) static MX_CURP: Detector =
    RULE.detector("mx_curp", &[Wake::Shape(RULE.wakes())], |look| {
        RULE.judge(look)
    });

const RULE: Rule = Rule {
    forms: &[
        Form::new("AAAA999999AAAAAA99", High, High),
        Form::new("AAAA999999AAAAAAA9", High, High),
    ],
    check,
    words: Words::new(&["curp", "clave única", "clave unica"]),
};

/// Initials, day of birth, sex, state, consonants, and a digit that checks them; the alphabet has an Ñ, which is never used.
fn check(value: &[u8]) -> bool {
    let worth = |byte: u8| match byte {
        b'0'..=b'9' => digit(byte),
        b'A'..=b'N' => u32::from(byte - b'A') + 10,
        _ => u32::from(byte - b'A') + 11,
    };
    let sum: u32 = value[..17]
        .iter()
        .zip(2u32..)
        .map(|(byte, place)| worth(*byte) * (20 - place))
        .sum();
    b"HMX".contains(&value[10])
        && is_day(0, number(&value[6..8]), number(&value[8..10]))
        && digit(value[17]) == (10 - sum % 10) % 10
}

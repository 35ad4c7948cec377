//! Italian tax codes.

use crate::checksum::number;
use crate::context::Words;
use crate::form::{Form, Rule};
use crate::{Confidence::High, Detector, Wake};

pub(crate) static IT_CODICE_FISCALE: Detector =
    RULE.detector("it_codice_fiscale", &[Wake::Shape(RULE.wakes())], |look| {
        RULE.judge(look)
    });

const RULE: Rule = Rule {
    forms: &[Form::new("AAAAAA99A99A999A", High, High)],
    check,
    words: Words::new(&["codice fiscale", "cod fiscale"]),
};

/// The month is a letter, forty is added to the day of women, and the last letter checks all others.
fn check(value: &[u8]) -> bool {
    const ODD: [u32; 26] = [
        1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24,
        23,
    ];
    let day = number(&value[9..11]) % 40;
    let sum: u32 = value[..15]
        .iter()
        .enumerate()
        .map(|(place, byte)| {
            let worth = u32::from(byte - if byte.is_ascii_digit() { b'0' } else { b'A' });
            if place % 2 == 0 {
                ODD[worth as usize % 26]
            } else {
                worth
            }
        })
        .sum();
    b"ABCDEHLMPRST".contains(&value[8])
        && (1..=31).contains(&day)
        && u32::from(value[15] - b'A') == sum % 26
}

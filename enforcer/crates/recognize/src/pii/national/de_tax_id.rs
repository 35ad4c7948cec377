//! German tax identification numbers.

use crate::checksum::{digit, mod_11_10};
use crate::context::Words;
use crate::form::{Form, Rule};
use crate::{
    Confidence::{High, Low, Medium},
    Detector, Wake,
};

pub(crate) static DE_TAX_ID: Detector =
    RULE.detector("de_tax_id", &[Wake::Shape(RULE.wakes())], |look| {
        RULE.judge(look)
    });

const RULE: Rule = Rule {
    forms: &[
        Form::new("99 999 999 999", Medium, High),
        Form::new("99999999999", Low, High),
    ],
    check,
    words: Words::new(&[
        "steuer id",
        "steueridentifikationsnummer",
        "steuer identifikationsnummer",
        "identifikationsnummer",
        "steuernummer",
        "idnr",
        "tax id",
        "tin",
    ]),
};

/// Of the first ten digits just one comes two or three times, and never three times in a row.
fn check(value: &[u8]) -> bool {
    let mut counts = [0u8; 10];
    for byte in &value[..10] {
        counts[digit(*byte) as usize % 10] += 1;
    }
    let repeated = counts.iter().filter(|count| **count > 1).count();
    let most = counts.iter().max().copied().unwrap_or_default();
    let row = value[..10]
        .windows(3)
        .any(|row| row[0] == row[1] && row[1] == row[2]);
    value[0] != b'0' && repeated == 1 && most <= 3 && !row && mod_11_10(value)
}

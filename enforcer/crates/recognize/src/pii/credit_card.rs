//! Numbers of payment cards.

use crate::checksum::{luhn, number};
use crate::context::Words;
use crate::form::{Form, Rule};
use crate::{
    Confidence::{High, Low, Medium},
    Detector, Family, Look, Sight, Wake, context,
};

pub(crate) static CREDIT_CARD: Detector = Detector {
    name: "credit_card",
    family: Family::Pii,
    wake: &[Wake::Shape(RULE.wakes())],
    longest: RULE.longest(),
    recognise,
    examples: &[
        "4111111111111111",
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "4242424242424242",
        "4242 4242 4242 4242",
        "4012888888881881",
        "5555555555554444",
        "5105105105105100",
        "378282246310005",
        "371449635398431",
        "6011111111111117",
        "30569309025904",
        "3530111333300000",
    ],
};

const RULE: Rule = Rule {
    forms: &[
        Form::new("9999 9999 9999 9999 999", High, High),
        Form::new("9999 9999 9999 9999", High, High),
        Form::new("9999-9999-9999-9999", High, High),
        Form::told("9999.9999.9999.9999", High),
        Form::new("9999 999999 99999", High, High),
        Form::new("9999-999999-99999", High, High),
        Form::new("9999 999999 9999", High, High),
        Form::new("9999-999999-9999", High, High),
        Form::new("9999999999999999999", Low, High),
        Form::new("999999999999999999", Low, High),
        Form::new("99999999999999999", Low, High),
        Form::new("9999999999999999", Medium, High),
        Form::new("999999999999999", Medium, High),
        Form::new("99999999999999", Low, High),
        Form::new("9999999999999", Low, High),
        Form::told("999999999999", High),
    ],
    check,
    words: Words::new(&[
        "card",
        "card number",
        "credit",
        "debit",
        "cc",
        "ccn",
        "cardholder",
        "visa",
        "mastercard",
        "amex",
        "american express",
        "discover",
        "diners",
        "jcb",
        "maestro",
        "unionpay",
        "payment",
        "pan",
        "carte",
        "tarjeta",
        "karte",
        "kreditkarte",
        "cartão",
    ]),
};

/// Words before other long numbers.
const UNLIKE: Words = Words::new(&[
    "order",
    "invoice",
    "tracking",
    "shipment",
    "ticket",
    "reference",
    "account id",
    "user id",
    "transaction id",
    "id",
    "timestamp",
    "imei",
    "isbn",
    "sku",
    "cursor",
    "trace",
    "span",
    "offset",
]);

fn recognise(look: &Look<'_>) -> Sight {
    match RULE.judge(look) {
        Sight::Found {
            span,
            confidence: Medium,
        } if context::told(look, span.start, &UNLIKE) => Sight::Found {
            span,
            confidence: Low,
        },
        sight => sight,
    }
}

/// What the issuers' ranges begin with, and how long their numbers are.
fn check(value: &[u8]) -> bool {
    let lengths = match number(&value[..4]) {
        // American Express, Diners Club, JCB.
        3400..=3499 | 3700..=3799 => 15..=15,
        3000..=3059 | 3095 | 3600..=3699 | 3800..=3999 => 14..=16,
        3528..=3589 => 16..=19,
        // Visa, Mastercard.
        4000..=4999 => 13..=19,
        5100..=5599 | 2221..=2720 => 16..=16,
        // Mir, Troy, RuPay; Discover; UnionPay; Maestro.
        2200..=2204 | 9792 | 6521 | 6522 | 8172 => 16..=16,
        6011 | 6440..=6599 => 16..=19,
        6200..=6299 | 8100..=8171 => 16..=19,
        5018 | 5020 | 5038 | 5600..=5899 | 6304 | 6759 | 6761..=6763 => 12..=19,
        _ => return false,
    };
    // Visa's numbers have 13, 16 or 19 digits.
    let visa = value[0] != b'4' || matches!(value.len(), 13 | 16 | 19);
    lengths.contains(&value.len()) && visa && luhn(value)
}

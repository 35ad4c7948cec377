//! Postal addresses, which only the name of their field tells.

use super::person_name::{Ends, same};
use crate::{
    Confidence::{High, Medium},
    Detector, Family, Look, Sight, Wake,
};

pub(crate) static POSTAL_ADDRESS: Detector = Detector {
    name: "postal_address",
    family: Family::Pii,
    wake: &[Wake::Field],
    longest: LONGEST,
    recognise,
    examples: &[
        "123 Main St",
        "123 Main Street",
        "1600 Pennsylvania Avenue NW",
    ],
};

/// A longer text is no address.
const LONGEST: usize = 200;

/// Fields that hold nothing else; without what joins their words.
const SURE: &[&str] = &[
    "streetaddress",
    "street",
    "streetname",
    "addressline",
    "addressline1",
    "addressline2",
    "address1",
    "address2",
    "line1",
    "homeaddress",
    "mailingaddress",
    "postaladdress",
    "shippingaddress",
    "billingaddress",
    "deliveryaddress",
    "residentialaddress",
    "patientaddress",
    "customeraddress",
    "strasse",
    "straße",
    "anschrift",
    "adresse",
    "direccion",
    "dirección",
    "indirizzo",
    "endereco",
    "endereço",
];

/// Addresses of other things too.
const PERHAPS: &[&str] = &["address", "addr", "residence", "home"];

pub(super) static ENDS: Ends = Ends::of(&[SURE, PERHAPS]);

fn recognise(look: &Look<'_>) -> Sight {
    let Some(field) = look.field.filter(|field| ENDS.fits(field)) else {
        return Sight::Nothing;
    };
    let sure = SURE.iter().any(|known| same(field, known));
    if !sure && !PERHAPS.iter().any(|known| same(field, known)) {
        return Sight::Nothing;
    }
    if look.at != 0
        || look.text.len() > LONGEST
        || look
            .text
            .iter()
            .any(|byte| matches!(byte, b'@' | b'{' | b'<' | b'=' | b'_'))
    {
        return Sight::Nothing;
    }
    if !look.last {
        return Sight::Open { start: 0 };
    }
    let value = look.text.trim_ascii();
    let start = look.text.len() - look.text.trim_ascii_start().len();
    if !is_address(value) {
        return Sight::Nothing;
    }
    Sight::Found {
        span: start..start + value.len(),
        confidence: if sure { High } else { Medium },
    }
}

/// Words and a number among them, which no address of a machine or a wallet has.
fn is_address(value: &[u8]) -> bool {
    let letters = value
        .iter()
        .filter(|byte| byte.is_ascii_alphabetic() || !byte.is_ascii())
        .count();
    let digits = value.iter().filter(|byte| byte.is_ascii_digit()).count();
    letters > 2
        && (1..=16).contains(&digits)
        && value.contains(&b' ')
        && !value.windows(3).any(|bytes| bytes == b"://")
}

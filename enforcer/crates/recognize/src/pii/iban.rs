//! International bank account numbers.

use crate::checksum::mod_97;
use crate::form::{stands_free_before, stands_free_behind};
use crate::{Confidence::High, Detector, Family, Look, Shapes, Sight, Wake};

pub(crate) static IBAN: Detector = Detector {
    name: "iban",
    family: Family::Pii,
    wake: &[Wake::Shape(Shapes::lettered(&[
        2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
    ]))],
    longest: 42,
    recognise,
    examples: &[
        "DE89370400440532013000",
        "DE89 3704 0044 0532 0130 00",
        "GB82WEST12345698765432",
        "GB82 WEST 1234 5698 7654 32",
        "GB29NWBK60161331926819",
        "FR1420041010050500013M02606",
        "CH9300762011623852957",
        "NL91ABNA0417164300",
    ],
};

/// The longest there are.
const MOST: usize = 34;

/// How long those of each country are, by the registry that SWIFT keeps for ISO 13616.
const LENGTHS: &[(&[u8; 2], usize)] = &[
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BH", 22),
    (b"BI", 27),
    (b"BR", 29),
    (b"BY", 28),
    (b"CH", 21),
    (b"CR", 22),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DJ", 27),
    (b"DK", 18),
    (b"DO", 28),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FK", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"GT", 28),
    (b"HN", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LC", 32),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"LY", 25),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MN", 20),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"NI", 28),
    (b"NL", 18),
    (b"NO", 15),
    (b"OM", 23),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"RU", 33),
    (b"SA", 24),
    (b"SC", 31),
    (b"SD", 18),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"SO", 23),
    (b"ST", 25),
    (b"SV", 28),
    (b"TL", 23),
    (b"TN", 24),
    (b"TR", 26),
    (b"UA", 29),
    (b"VA", 22),
    (b"VG", 24),
    (b"XK", 20),
    (b"YE", 30),
];

fn recognise(look: &Look<'_>) -> Sight {
    let Some(start) = look.at.checked_sub(2) else {
        return Sight::Nothing;
    };
    let Some(length) = length(&look.text[start..look.at]) else {
        return Sight::Nothing;
    };
    if !stands_free_before(look.text, start) {
        return Sight::Nothing;
    }
    let mut value = [0; MOST];
    let mut read = 0;
    let mut end = start;
    while read < length {
        match look.text.get(end) {
            Some(byte)
                if byte.is_ascii_digit()
                    || (byte.is_ascii_alphabetic() && !(2..4).contains(&read)) =>
            {
                value[read] = byte.to_ascii_uppercase();
                read += 1;
            }
            // Written in fours.
            Some(b' ' | b'-')
                if read > 0 && read % 4 == 0 && look.text[end - 1].is_ascii_alphanumeric() => {}
            Some(_) => return Sight::Nothing,
            None if look.last => return Sight::Nothing,
            None => return Sight::Open { start },
        }
        end += 1;
    }
    match stands_free_behind(look, end) {
        None => Sight::Open { start },
        Some(true) if checks(&value[..length]) => Sight::Found {
            span: start..end,
            confidence: High,
        },
        Some(_) => Sight::Nothing,
    }
}

fn length(country: &[u8]) -> Option<usize> {
    let place = LENGTHS
        .binary_search_by(|(known, _)| known.as_slice().cmp(country))
        .ok()?;
    LENGTHS.get(place).map(|(_, length)| *length)
}

fn checks(value: &[u8]) -> bool {
    let (head, rest) = value.split_at(4);
    mod_97(rest.iter().chain(head).copied()) == 1
}

//! Addresses of network cards.

use crate::context::Words;
use crate::form::{stands_free_before, stands_free_behind};
use crate::{
    Confidence::{High, Low, Medium},
    Detector, Family, Look, Shapes, Sight, Wake, context,
};

pub(crate) static MAC_ADDRESS: Detector = Detector {
    name: "mac_address",
    family: Family::Pii,
    wake: &[
        Wake::Assignment,
        Wake::Shape(Shapes::followed(&[2], b'-', &[0, 1, 2])),
    ],
    longest: 17,
    recognise,
    examples: &[
        "00:00:00:00:00:00",
        "ff:ff:ff:ff:ff:ff",
        "00:11:22:33:44:55",
        "aa:bb:cc:dd:ee:ff",
        "00:1A:2B:3C:4D:5E",
    ],
};

const WORDS: Words = Words::new(&[
    "mac",
    "mac address",
    "hwaddr",
    "ether",
    "ethernet",
    "lladdr",
    "bssid",
    "hardware address",
    "wifi",
    "bluetooth",
    "device",
    "physical address",
]);

/// Six groups of two hexadecimal digits.
const LENGTH: usize = 17;

fn recognise(look: &Look<'_>) -> Sight {
    let (sign, start) = match look.text[look.at] {
        b':' => (b':', look.at.saturating_sub(2)),
        _ => (b'-', look.at),
    };
    if look.at < start + if sign == b':' { 2 } else { 0 } {
        return Sight::Nothing;
    }
    let joined = start
        .checked_sub(1)
        .is_some_and(|index| look.text[index] == sign);
    // Times have two signs at most.
    if joined
        || !stands_free_before(look.text, start)
        || look.text.get(start + 8).is_some_and(|byte| *byte != sign)
    {
        return Sight::Nothing;
    }
    let value = &look.text[start..look.text.len().min(start + LENGTH)];
    let fits = value.iter().enumerate().all(|(place, byte)| {
        if place % 3 == 2 {
            *byte == sign
        } else {
            byte.is_ascii_hexdigit()
        }
    });
    if !fits {
        return Sight::Nothing;
    }
    if value.len() < LENGTH {
        return if look.last {
            Sight::Nothing
        } else {
            Sight::Open { start }
        };
    }
    let behind = look.text.get(start + LENGTH);
    match stands_free_behind(look, start + LENGTH) {
        None => Sight::Open { start },
        // A longer row of bytes is a fingerprint.
        Some(true) if behind != Some(&b':') => Sight::Found {
            span: start..start + LENGTH,
            confidence: weigh(look, start, value),
        },
        Some(_) => Sight::Nothing,
    }
}

fn weigh(look: &Look<'_>, start: usize, value: &[u8]) -> crate::Confidence {
    let told = context::told(look, start, &WORDS);
    let first = value[..2].iter().fold(0u8, |sum, byte| {
        sum * 16 + (*byte as char).to_digit(16).map_or(0, |digit| digit as u8)
    });
    let same = value.chunks(3).all(|group| group[..2] == value[..2]);
    // The lowest bit of the first byte marks groups of machines.
    if same || first & 1 == 1 {
        Low
    } else if told {
        High
    } else {
        Medium
    }
}

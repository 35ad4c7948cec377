//! Addresses of machines: IPv4 by its digits, IPv6 by its colons.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::context::Words;
use crate::digits::digits;
use crate::form::{stands_free_before, stands_free_behind};
use crate::{
    Confidence::{self, High, Low, Medium},
    Detector, Family, Look, Shapes, Sight, Wake, context,
};

pub(crate) static IP_ADDRESS: Detector = Detector {
    name: "ip_address",
    family: Family::Pii,
    wake: &[
        Wake::Shape(Shapes::followed(&[1, 2, 3], b'.', &[1, 2, 3])),
        Wake::Assignment,
    ],
    longest: 45,
    recognise,
    examples: &[
        "192.0.2.1",
        "198.51.100.1",
        "203.0.113.1",
        "2001:db8::1",
        "127.0.0.1",
        "8.8.8.8",
        "1.1.1.1",
    ],
};

const WORDS: Words = Words::new(&[
    "ip",
    "ip address",
    "ipv4",
    "ipv6",
    "ip addr",
    "addr",
    "remote addr",
    "client",
    "client ip",
    "forwarded for",
    "x forwarded for",
    "real ip",
    "peer",
    "login from",
    "logged in from",
    "source ip",
    "src ip",
    "dst ip",
    "visitor",
    "remote host",
]);

/// What four small numbers with dots between them mostly are.
const UNLIKE: Words = Words::new(&[
    "version", "v", "ver", "release", "build", "section", "chapter", "assembly", "revision", "oid",
    "firmware", "chrome", "safari", "edge", "edg", "firefox", "opr", "opera", "upgrade",
    "upgraded",
]);

fn recognise(look: &Look<'_>) -> Sight {
    if look.text[look.at] == b':' {
        six(look)
    } else {
        four(look)
    }
}

fn four(look: &Look<'_>) -> Sight {
    let start = look.at;
    let mut octets = [0u8; 4];
    let mut at = start;
    if !stands_free_before(look.text, start) {
        return Sight::Nothing;
    }
    for (place, octet) in octets.iter_mut().enumerate() {
        if place > 0 {
            match look.text.get(at) {
                Some(b'.') => at += 1,
                Some(_) => return Sight::Nothing,
                None => return unfinished(look, start),
            }
        }
        let length = digits(&look.text[at..], 4);
        let number = &look.text[at..at + length];
        if length == 0 {
            return if at == look.text.len() {
                unfinished(look, start)
            } else {
                Sight::Nothing
            };
        }
        let value = number
            .iter()
            .fold(0u32, |sum, byte| sum * 10 + u32::from(byte - b'0'));
        match u8::try_from(value) {
            Ok(value) if length < 4 && (length == 1 || number[0] != b'0') => *octet = value,
            Ok(_) | Err(_) => return Sight::Nothing,
        }
        at += length;
    }
    match stands_free_behind(look, at) {
        None => Sight::Open { start },
        Some(true) => Sight::Found {
            span: start..at,
            confidence: weigh_four(look, start, octets),
        },
        Some(false) => Sight::Nothing,
    }
}

/// The text ended within what could be an address.
fn unfinished(look: &Look<'_>, start: usize) -> Sight {
    if look.last {
        Sight::Nothing
    } else {
        Sight::Open { start }
    }
}

/// Addresses that say nothing of a person are no more than a shape, as are versions.
fn weigh_four(look: &Look<'_>, start: usize, octets: [u8; 4]) -> Confidence {
    let address = Ipv4Addr::from(octets);
    let shared = octets[0] == 100 && (64..128).contains(&octets[1]);
    let idle = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_unspecified()
        || address.is_broadcast();
    if idle
        || shared
        || octets[0] == 0
        || octets[0] >= 224
        || context::told(look, start, &UNLIKE)
        || is_resolver(address)
    {
        return Low;
    }
    if context::told(look, start, &WORDS) {
        return High;
    }
    // Parts of versions are small.
    let large =
        octets[1..].iter().any(|octet| *octet > 99) || (octets[0] > 99 && octets[1..] != [0, 0, 0]);
    if large { Medium } else { Low }
}

/// Resolvers that everybody names.
fn is_resolver(address: Ipv4Addr) -> bool {
    matches!(
        address.octets(),
        [8, 8, 8, 8] | [8, 8, 4, 4] | [1, 1, 1, 1] | [1, 0, 0, 1] | [9, 9, 9, 9]
    )
}

/// Woken at a colon; the address begins with the group of hexadecimal digits before the first one.
fn six(look: &Look<'_>) -> Sight {
    let before = &look.text[..look.at];
    let first = before
        .iter()
        .rev()
        .take(5)
        .take_while(|byte| byte.is_ascii_hexdigit())
        .count();
    if !(1..=4).contains(&first) {
        return Sight::Nothing;
    }
    let start = look.at - first;
    let joined = start
        .checked_sub(1)
        .is_some_and(|index| before[index] == b':');
    if joined || !stands_free_before(look.text, start) {
        return Sight::Nothing;
    }
    let rest = &look.text[start..];
    let length = rest
        .iter()
        .take(46)
        .take_while(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.'))
        .count();
    if length == rest.len() && !look.last {
        return Sight::Open { start };
    }
    let value = rest[..length].trim_ascii_end();
    let value = value.strip_suffix(b".").unwrap_or(value);
    let value = if value.ends_with(b"::") {
        value
    } else {
        value.strip_suffix(b":").unwrap_or(value)
    };
    let parsed = std::str::from_utf8(value)
        .ok()
        .and_then(|text| text.parse::<Ipv6Addr>().ok());
    let numbers = value.iter().any(u8::is_ascii_digit);
    let colons = value.iter().filter(|byte| **byte == b':').count();
    match (parsed, stands_free_behind(look, start + length)) {
        (Some(address), Some(true))
            if numbers && (colons > 2 || context::told(look, start, &WORDS)) =>
        {
            Sight::Found {
                span: start..start + value.len(),
                confidence: weigh_six(look, start, address),
            }
        }
        (Some(_) | None, _) => Sight::Nothing,
    }
}

fn weigh_six(look: &Look<'_>, start: usize, address: Ipv6Addr) -> Confidence {
    let [first, second, ..] = address.segments();
    let idle = address.is_loopback()
        || address.is_unspecified()
        || first & 0xfe00 == 0xfc00
        || first & 0xffc0 == 0xfe80
        || first >= 0xff00
        || (first, second) == (0x2001, 0xdb8);
    // Addresses in use begin with 2 or 3; rows of bytes with colons between them mostly do not.
    if !idle && (first & 0xe000 == 0x2000 || context::told(look, start, &WORDS)) {
        High
    } else {
        Low
    }
}

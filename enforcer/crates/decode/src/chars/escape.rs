//! What stands behind a backslash.

use super::{Unit, count, hex};
use crate::layers::Layers;

const LAYER: Layers = Layers::ESCAPE;

/// What stands at a `\`, whose text ends with `rest` for good if `last`.
pub(super) fn unit(rest: &[u8], last: bool) -> Unit {
    let Some((byte, behind)) = rest.get(1).zip(rest.get(2..)) else {
        return Unit::Short;
    };
    match byte {
        b'u' if behind.is_empty() => Unit::Short,
        b'u' if behind[0] == b'{' => braced(behind),
        b'u' => surrogates(behind, last),
        b'U' => fixed(behind, 8),
        b'x' => fixed(behind, 2),
        b'0'..=b'7' => octal(&rest[1..], last),
        b'n' => Unit::coded(2, b"\n", LAYER),
        b'r' => Unit::coded(2, b"\r", LAYER),
        b't' => Unit::coded(2, b"\t", LAYER),
        b'a' | b'b' | b'f' | b'v' | b'e' => Unit::coded(2, b" ", LAYER),
        b'\n' => Unit::coded(2, b"", LAYER),
        b'"' | b'\'' | b'/' | b'`' | b'\\' => Unit::coded(2, &[*byte], LAYER),
        _ => Unit::Plain(1),
    }
}

/// So many digits, all of them.
fn fixed(behind: &[u8], digits: usize) -> Unit {
    let known = behind.len().min(digits);
    match hex(&behind[..known]) {
        None => Unit::Plain(1),
        Some(_) if known < digits => Unit::Short,
        Some(number) => Unit::of_number(2 + digits, number, LAYER),
    }
}

/// `\u0041`, or two of it for a character beyond 65,535.
fn surrogates(behind: &[u8], last: bool) -> Unit {
    let known = behind.len().min(4);
    let high = match hex(&behind[..known]) {
        None => return Unit::Plain(1),
        Some(_) if known < 4 => return Unit::Short,
        Some(number) => number,
    };
    if !(0xd800..0xdc00).contains(&high) {
        return Unit::of_number(6, high, LAYER);
    }
    let next = &behind[4..];
    let known = next.len().min(6);
    let begins = next[..known]
        .iter()
        .zip(b"\\u")
        .all(|(one, other)| one == other);
    let low = next.get(2..known).unwrap_or_default();
    match hex(low) {
        _ if !begins => Unit::Plain(1),
        None => Unit::Plain(1),
        Some(_) if known < 6 && !last => Unit::Short,
        Some(low) if (0xdc00..0xe000).contains(&low) => {
            let number = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
            Unit::of_number(12, number, LAYER)
        }
        Some(_) => Unit::Plain(1),
    }
}

/// `\u{41}`.
fn braced(behind: &[u8]) -> Unit {
    let digits = &behind[1..];
    let count = count(digits, 8, u8::is_ascii_hexdigit);
    match (digits.get(count), hex(&digits[..count])) {
        (None, _) if count < 8 => Unit::Short,
        (Some(b'}'), Some(number)) if count > 0 => Unit::of_number(4 + count, number, LAYER),
        (Some(_) | None, _) => Unit::Plain(1),
    }
}

/// `\101`, also shorter.
fn octal(digits: &[u8], last: bool) -> Unit {
    let most = if digits[0] < b'4' { 3 } else { 2 };
    let count = count(digits, most, |byte| (b'0'..=b'7').contains(byte));
    if count < most && count == digits.len() && !last {
        return Unit::Short;
    }
    let number = digits[..count]
        .iter()
        .fold(0_u32, |number, digit| number * 8 + u32::from(digit - b'0'));
    // One digit is more often a reference to a group than a character.
    if count == 1 {
        return Unit::Plain(1);
    }
    Unit::of_number(1 + count, number, LAYER)
}

//! `%41`, `%u0041`, and the same behind `=` as mail has it.

use super::{Unit, digit, hex};
use crate::layers::Layers;

/// What stands at a `%`.
pub(super) fn unit(rest: &[u8]) -> Unit {
    match rest {
        [_, b'u' | b'U', digits @ ..] => {
            let known = digits.len().min(4);
            match hex(&digits[..known]) {
                None => Unit::Plain(1),
                Some(_) if known < 4 => Unit::Short,
                Some(number) => Unit::of_number(6, number, Layers::PERCENT),
            }
        }
        [_, digits @ ..] => two(digits, Layers::PERCENT),
        [] => Unit::Short,
    }
}

/// What stands at a `=`. It counts only where it can hardly be an equals sign: as `=3D`, before another, or at the end of
/// a line; and where such was `seen`, everywhere.
pub(super) fn quoted(rest: &[u8], seen: bool) -> Unit {
    match rest {
        [_] => Unit::Short,
        [_, b'\n', ..] => Unit::coded(2, b"", Layers::QUOTED),
        [_, b'\r'] => Unit::Short,
        [_, b'\r', b'\n', ..] => Unit::coded(3, b"", Layers::QUOTED),
        [_, digits @ ..] => {
            let unit = two(digits, Layers::QUOTED);
            if seen || matches!(unit, Unit::Plain(_)) || digits.starts_with(b"3D") {
                return unit;
            }
            match digits.get(2) {
                None => Unit::Short,
                Some(b'=') => unit,
                Some(_) => Unit::Plain(1),
            }
        }
        [] => Unit::Short,
    }
}

/// The bytes that escapes one after the other say.
pub(super) fn bytes(rest: &[u8]) -> impl Iterator<Item = u8> + Clone {
    rest.chunks_exact(3).map_while(|escape| match escape {
        [b'%', high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    })
}

fn two(digits: &[u8], layer: Layers) -> Unit {
    let known = digits.len().min(2);
    match hex(&digits[..known]) {
        None => Unit::Plain(1),
        Some(_) if known < 2 => Unit::Short,
        Some(number) => Unit::coded(3, &[number as u8], layer),
    }
}

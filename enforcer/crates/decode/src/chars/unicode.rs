//! Characters beyond ASCII, and what they stand for in the eyes of who reads them.

use std::str;
use std::sync::LazyLock;

use unicode_normalization::char::{decompose_compatible, is_combining_mark};

use super::confusables::look;
use super::{Short, Unit};
use crate::layers::Layers;

/// What a character beyond ASCII comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Folded {
    /// Nothing, for it is not seen.
    Nothing,
    /// Itself.
    Same,
    /// These ASCII bytes, and so many of them.
    Text([u8; 4], u8),
}

/// The first of each ten decimal digits beyond those that have a compatible form.
const ZEROS: &[u32] = &[
    0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6,
    0xe50, 0xed0, 0xf20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50,
    0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0x104a0,
    0x10d30, 0x11066, 0x110f0, 0x11136, 0x111d0, 0x112f0, 0x11450, 0x114d0, 0x11650, 0x116c0,
    0x11730, 0x118e0, 0x11c50, 0x11d50, 0x11da0, 0x16a60, 0x16ac0, 0x16b50, 0x1e140, 0x1e2f0,
    0x1e4f0, 0x1e950,
];

/// What stands at a byte beyond ASCII, behind the byte `before`.
pub(super) fn unit(rest: &[u8], before: Option<u8>) -> Unit {
    let c = match first(rest) {
        First::Char(c) => c,
        First::Invalid => return Unit::Plain(1),
        First::Short => return Unit::Short,
    };
    let taken = c.len_utf8();
    let number = u32::from(c);
    // Han, kana and Hangul stand for themselves, and come in masses.
    if (0x3040..0xa000).contains(&number) || (0xac00..0xd7a4).contains(&number) {
        return Unit::Plain(taken);
    }
    let ascii = before.is_some_and(|byte| byte < 0x80);
    match fold(c) {
        Folded::Same => Unit::Plain(taken),
        // Emoji and several scripts need them; beside ASCII nothing does.
        Folded::Nothing => Unit::Coded {
            taken,
            bytes: Short::default(),
            layer: Layers::INVISIBLE,
            opens: ascii,
        },
        Folded::Text(bytes, len) => {
            let bytes = &bytes[..usize::from(len)];
            let digit = before.is_some_and(|byte| byte.is_ascii_digit());
            Unit::Coded {
                taken,
                bytes: Short::of(bytes),
                layer: Layers::LOOKALIKE,
                // Dashes, quotes, blanks and dots are everybody's, and matter between digits.
                opens: digit || bytes.iter().any(u8::is_ascii_alphanumeric),
            }
        }
    }
}

/// What `c` comes to: its compatible form, what it looks like, its value as a digit, nothing if it is not seen.
#[must_use]
pub fn fold(c: char) -> Folded {
    let number = u32::from(c);
    let code = match number {
        0x80..0x590 => NEAR[(number - 0x80) as usize],
        0x2000..0x2100 => GENERAL[(number - 0x2000) as usize],
        0xff00..0xfff0 => WIDE[(number - 0xff00) as usize],
        _ => ASK,
    };
    match code {
        SAME => Folded::Same,
        NOTHING => Folded::Nothing,
        ASK => slow(c),
        ascii => Folded::Text([ascii, 0, 0, 0], 1),
    }
}

const SAME: u8 = 0;
const NOTHING: u8 = 1;
const ASK: u8 = 2;

/// What characters up to Armenian come to.
static NEAR: LazyLock<Vec<u8>> = LazyLock::new(|| (0x80..0x590).map(code).collect());
/// Likewise of blanks, dashes and quotes, and of what has no width.
static GENERAL: LazyLock<Vec<u8>> = LazyLock::new(|| (0x2000..0x2100).map(code).collect());
/// Likewise of what is as wide as Han is, or half as wide.
static WIDE: LazyLock<Vec<u8>> = LazyLock::new(|| (0xff00..0xfff0).map(code).collect());

fn code(number: u32) -> u8 {
    match char::from_u32(number).map(slow) {
        Some(Folded::Nothing) => NOTHING,
        Some(Folded::Text([ascii, ..], 1)) => ascii,
        // Fractions are nobody's disguise.
        Some(Folded::Text(..)) if number < 0x590 => SAME,
        Some(Folded::Text(..)) => ASK,
        Some(Folded::Same) | None => SAME,
    }
}

fn slow(c: char) -> Folded {
    let number = u32::from(c);
    if number < 0x80 {
        return Folded::Same;
    }
    if unseen(number) {
        return Folded::Nothing;
    }
    if let Some(ascii) = punctuation(number)
        .or_else(|| look(c))
        .or_else(|| digit(number))
    {
        return Folded::Text([ascii, 0, 0, 0], 1);
    }
    if (0xc0..0x2000).contains(&number) && !(0x1c80..0x1e00).contains(&number) {
        return Folded::Same;
    }
    compatible(c)
}

fn compatible(c: char) -> Folded {
    let (mut bytes, mut len, mut other) = ([0; 4], 0, false);
    decompose_compatible(c, |part| {
        let ascii = match part {
            part if part.is_ascii() => Some(part as u8),
            part if is_combining_mark(part) => return,
            part => look(part).or_else(|| punctuation(u32::from(part))),
        };
        match (ascii, bytes.get_mut(usize::from(len))) {
            (Some(ascii), Some(to)) => {
                *to = ascii;
                len += 1;
            }
            (None, _) | (_, None) => other = true,
        }
    });
    if other || len == 0 {
        return Folded::Same;
    }
    Folded::Text(bytes, len)
}

const fn unseen(number: u32) -> bool {
    matches!(
        number,
        0xad | 0x34f
            | 0x61c
            | 0x115f..=0x1160
            | 0x17b4..=0x17b5
            | 0x180b..=0x180f
            | 0x200b..=0x200f
            | 0x202a..=0x202e
            | 0x2060..=0x206f
            | 0x3164
            | 0xfe00..=0xfe0f
            | 0xfeff
            | 0xffa0
            | 0xfff9..=0xfffb
            | 0x1d173..=0x1d17a
            | 0xe0000..=0xe0fff
            // Marks over and through other characters.
            | 0x300..=0x36f
            | 0x483..=0x489
            | 0x1ab0..=0x1aff
            | 0x1dc0..=0x1dff
            | 0x20d0..=0x20ff
            | 0xfe20..=0xfe2f
    )
}

fn punctuation(number: u32) -> Option<u8> {
    Some(match number {
        0xa0 | 0x1680 | 0x2000..=0x200a | 0x202f | 0x205f | 0x2800 | 0x3000 => b' ',
        0x2028 | 0x2029 | 0x85 => b'\n',
        0x2010..=0x2015 | 0x2043 | 0x2212 | 0xfe58 | 0x58a | 0x2e3a | 0x2e3b => b'-',
        0x2018..=0x201b | 0x2032 | 0x2bc | 0xb4 => b'\'',
        0x201c..=0x201f | 0x2033 | 0xab | 0xbb => b'"',
        0x2024 | 0x3002 | 0xff61 | 0xb7 => b'.',
        0x2044 | 0x2215 | 0x29f8 => b'/',
        0x2236 | 0xa789 | 0x2d0 | 0x5c3 | 0x703 => b':',
        0x204e | 0x2217 => b'*',
        0x2768..=0x2775 | 0x2045 | 0x2046 => b'"',
        _ => return None,
    })
}

fn digit(number: u32) -> Option<u8> {
    if number < ZEROS[0] {
        return None;
    }
    let index = ZEROS
        .partition_point(|zero| *zero <= number)
        .checked_sub(1)?;
    let value = number - ZEROS[index];
    (value < 10).then(|| b'0' + value as u8)
}

enum First {
    Char(char),
    Invalid,
    Short,
}

fn first(rest: &[u8]) -> First {
    let len = match rest[0] {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return First::Invalid,
    };
    if let [lead @ 0xc2..=0xdf, next @ 0x80..=0xbf, ..] = rest {
        let number = u32::from(lead & 0x1f) << 6 | u32::from(next & 0x3f);
        return char::from_u32(number).map_or(First::Invalid, First::Char);
    }
    if let [
        lead @ 0xe0..=0xef,
        next @ 0x80..=0xbf,
        last @ 0x80..=0xbf,
        ..,
    ] = rest
    {
        let of = |byte: &u8| u32::from(byte & 0x3f);
        let number = u32::from(lead & 0xf) << 12 | of(next) << 6 | of(last);
        let c = char::from_u32(number).filter(|_| number >= 0x800);
        return c.map_or(First::Invalid, First::Char);
    }
    let known = &rest[..rest.len().min(len)];
    match str::from_utf8(known) {
        Ok(text) => text.chars().next().map_or(First::Invalid, First::Char),
        Err(error) if error.error_len().is_none() => First::Short,
        Err(_) => First::Invalid,
    }
}

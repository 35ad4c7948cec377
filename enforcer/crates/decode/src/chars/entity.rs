//! HTML's references to characters.

use super::{Unit, count, hex};
use crate::layers::Layers;

const LAYER: Layers = Layers::ENTITY;
/// No name that matters is longer.
const LONGEST: usize = 9;

/// Names that stand for what values are made of.
const NAMES: &[(&[u8], u8)] = &[
    (b"AMP", b'&'),
    (b"GT", b'>'),
    (b"LT", b'<'),
    (b"NewLine", b'\n'),
    (b"QUOT", b'"'),
    (b"Tab", b'\t'),
    (b"UnderBar", b'_'),
    (b"amp", b'&'),
    (b"apos", b'\''),
    (b"ast", b'*'),
    (b"bsol", b'\\'),
    (b"colon", b':'),
    (b"comma", b','),
    (b"commat", b'@'),
    (b"dash", b'-'),
    (b"dollar", b'$'),
    (b"emsp", b' '),
    (b"ensp", b' '),
    (b"equals", b'='),
    (b"excl", b'!'),
    (b"grave", b'`'),
    (b"gt", b'>'),
    (b"hyphen", b'-'),
    (b"lbrace", b'{'),
    (b"lbrack", b'['),
    (b"lcub", b'{'),
    (b"lowbar", b'_'),
    (b"lpar", b'('),
    (b"lsqb", b'['),
    (b"lt", b'<'),
    (b"mdash", b'-'),
    (b"midast", b'*'),
    (b"minus", b'-'),
    (b"nbsp", b' '),
    (b"ndash", b'-'),
    (b"num", b'#'),
    (b"percnt", b'%'),
    (b"period", b'.'),
    (b"plus", b'+'),
    (b"quest", b'?'),
    (b"quot", b'"'),
    (b"rbrace", b'}'),
    (b"rbrack", b']'),
    (b"rcub", b'}'),
    (b"rpar", b')'),
    (b"rsqb", b']'),
    (b"semi", b';'),
    (b"sol", b'/'),
    (b"thinsp", b' '),
    (b"verbar", b'|'),
    (b"vert", b'|'),
];

/// What stands at a `&`, whose text ends with `rest` for good if `last`.
pub(super) fn unit(rest: &[u8], last: bool) -> Unit {
    match rest.get(1) {
        None => Unit::Short,
        Some(b'#') => number(rest, last),
        Some(_) => name(rest),
    }
}

/// `&#65;` and `&#x41;`; browsers also read them without their end.
fn number(rest: &[u8], last: bool) -> Unit {
    let sixteen = matches!(rest.get(2), Some(b'x' | b'X'));
    let from = if sixteen { 3 } else { 2 };
    let digits = rest.get(from..).unwrap_or_default();
    let count = count(digits, 9, |byte| {
        byte.is_ascii_digit() || sixteen && byte.is_ascii_hexdigit()
    });
    if count == digits.len() && count < 9 && !last {
        return Unit::Short;
    }
    let number = if sixteen {
        hex(&digits[..count])
    } else {
        digits[..count].iter().try_fold(0_u32, |number, digit| {
            number.checked_mul(10)?.checked_add(u32::from(digit - b'0'))
        })
    };
    let end = usize::from(digits.get(count) == Some(&b';'));
    match number {
        Some(number) if count > 0 => Unit::of_number(from + count + end, number, LAYER),
        Some(_) | None => Unit::Plain(1),
    }
}

fn name(rest: &[u8]) -> Unit {
    let name = &rest[1..];
    let count = count(name, LONGEST, u8::is_ascii_alphabetic);
    match name.get(count) {
        None if count < LONGEST => Unit::Short,
        Some(b';') => match NAMES.binary_search_by(|(known, _)| (*known).cmp(&name[..count])) {
            Ok(found) => Unit::coded(count + 2, &[NAMES[found].1], LAYER),
            Err(_) => Unit::Plain(1),
        },
        Some(_) | None => Unit::Plain(1),
    }
}

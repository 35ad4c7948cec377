//! Which readings of a run could say text, told without decoding it.
//!
//! Most long runs are names of commits, identifiers and paths. Where eight bytes on end were text, every eighth byte
//! would be: reading begins there and goes back, and mostly passes eight bytes with the first that it looks at.

use super::SHORTEST;
use super::alphabet::{ALPHABETS, Alphabet, NONE};
use super::reading::{READINGS, Reading, Set, TWINS};

/// Runs of which so much is not told at once are decoded to be told.
const MOST: usize = 128;

/// So many digits are asked together: of any run that is long enough, so many are.
const TOGETHER: usize = SHORTEST.div_ceil(2);

/// Digits of three groups of base64.
const THREE: usize = 12;

/// What a byte can be in text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Nothing.
    Break,
    Text,
    /// Every other byte of a wide encoding.
    Zero,
    /// It goes on with a character.
    More,
    /// It begins one of which so many bytes follow.
    Lead(u8),
}

static CLASSES: [Class; 256] = classes();

/// The alphabets that each byte is a digit of, as bits.
static DIGITS_OF: [u8; 256] = digits_of();

/// The highest bits that digits of base64 give to the first, second and third byte of a group.
static TELLING: [u8; 256] = telling();

/// The alphabets that some digits are of, as bits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Alphabets {
    /// All are.
    pub(super) whole: u8,
    /// Enough on end may be, for as many are as are asked together.
    pub(super) long: u8,
}

/// How many of `len` bytes pass before something that is text for `enough` bytes, or up to their end; `wide` if text is
/// more than ASCII.
#[inline]
fn skim(len: usize, (enough, wide): (usize, bool), byte: impl Fn(usize) -> u8) -> usize {
    let mut start = 0;
    while start < len {
        let end = len.min(start + enough);
        match last_break(start, end, |at| class(byte(at), wide)) {
            Some(behind) => start = behind,
            None => break,
        }
    }
    start
}

/// Whether it is a byte of plain text.
pub(super) const fn is_text(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~')
}

/// The readings that could say text of `run`, which nothing makes longer, and the alphabets of its digits,
/// if it is not too long for that. Readings that say the same are told once.
pub(super) fn sift(run: &[u8], wanted: Set) -> (Set, Option<Alphabets>) {
    if run.len() > MOST {
        return (wanted, None);
    }
    let alphabets = Alphabets::of(run);
    let Alphabets { whole, long } = alphabets;
    let mut found = Set::NONE;
    for (index, alphabet) in ALPHABETS.iter().enumerate() {
        let bit = 1 << index;
        let again = index == 1 && whole & 3 == 3;
        if long & bit == 0 || again || !wanted.has(index) {
            continue;
        }
        if whole & bit != 0 {
            found = found.with(part(run, index));
            continue;
        }
        for part_of in run.split(|byte| alphabet.values[usize::from(*byte)] == NONE) {
            if part_of.len() >= SHORTEST {
                found = found.with(part(part_of, index));
            }
        }
    }
    (found, Some(alphabets))
}

/// Those that could say text of digits that are all of the alphabet at `index`.
fn part(digits: &[u8], index: usize) -> Set {
    let mut found = Set::NONE;
    if may(digits, index) {
        found = Set::of(index);
    }
    if index > 1 {
        return found;
    }
    let apart = apart(digits);
    for (shift, twins) in TWINS.iter().enumerate().skip(1) {
        let reading = [twins.0, twins.1][index];
        if apart & 1 << shift != 0 && says(digits, &READINGS[reading]) {
            found = found.with(Set::of(reading));
        }
    }
    found
}

/// Whether `digits`, which nothing makes longer, could say text as the reading at `index` has it.
pub(super) fn may(digits: &[u8], index: usize) -> bool {
    let reading = &READINGS[index];
    let apart = digits.get(reading.shift..).unwrap_or_default();
    (reading.shift == 0 || candidate(apart).is_some()) && says(digits, reading)
}

/// Likewise, told by what they say.
fn says(digits: &[u8], reading: &Reading) -> bool {
    let (alphabet, (enough, wide)) = (reading.alphabet(), reading.looked_for());
    if digits.len() < SHORTEST + reading.shift {
        return false;
    }
    let digits = &digits[reading.shift..];
    let len = digits.len() * usize::from(alphabet.bits) / 8;
    skim_digits(digits, alphabet, (enough, wide)) + enough <= len
}

/// How many whole groups of `digits` pass before something that may be text as `reading` has it.
pub(super) fn pass(digits: &[u8], reading: &Reading) -> usize {
    let alphabet = reading.alphabet();
    let (enough, group) = (reading.looked_for(), alphabet.group);
    let per = group * usize::from(alphabet.bits) / 8;
    if reading.shift == 0 {
        return skim_digits(digits, alphabet, enough) / per;
    }
    let mut from = 0;
    loop {
        let end = (digits.len() - from).saturating_sub(THREE);
        let next = candidate(&digits[from..]).unwrap_or(end);
        // What begins in the group before it may be text as well.
        from += (next.min(end) / group * group).saturating_sub(group);
        let till = digits.len().min(from + 16 * group);
        let passed = skim_digits(&digits[from..till], alphabet, enough) / per;
        from += passed * group;
        if till == digits.len() || (till - from) / group * per >= enough.0 {
            return from / group;
        }
    }
}

/// Those bits of eleven digits that tell of three groups of base64 whether they could be ASCII: of the first of each, the
/// second, the third. What no byte of it has is told by one bit of three of four digits.
const LOOKED_AT: u64 = 0b001_010_100_000_001_010_100_000_001_010_100;

/// The first place where any three groups of base64 on end could be ASCII.
fn candidate(digits: &[u8]) -> Option<usize> {
    let mut told = u64::MAX;
    for (at, digit) in digits.iter().enumerate() {
        told = told << 3 | u64::from(TELLING[usize::from(*digit)]);
        if told & LOOKED_AT == 0 {
            return Some(at.saturating_sub(10));
        }
    }
    None
}

/// Behind how many digits there are such places, as bits: none, one, two, three, and any number of whole groups.
fn apart(digits: &[u8]) -> u8 {
    let (mut told, mut found) = (u64::MAX, 0);
    for (at, digit) in digits.iter().enumerate() {
        told = told << 3 | u64::from(TELLING[usize::from(*digit)]);
        found |= u8::from(told & LOOKED_AT == 0) << (at % 4);
    }
    // They begin ten digits before the one that told of them.
    (found << 2 | found >> 2) & 0xf
}

fn skim_digits(digits: &[u8], alphabet: &Alphabet, looked_for: (usize, bool)) -> usize {
    match (alphabet.bits, looked_for) {
        (4, (enough, _)) => skim_bits::<4>(digits, alphabet, (enough, true)),
        (5, (enough, _)) => skim_bits::<5>(digits, alphabet, (enough, true)),
        (_, (enough, true)) => skim_bits::<6>(digits, alphabet, (enough, true)),
        (_, (enough, false)) => skim_bits::<6>(digits, alphabet, (enough, false)),
    }
}

#[inline]
fn skim_bits<const BITS: usize>(
    digits: &[u8],
    alphabet: &Alphabet,
    looked_for: (usize, bool),
) -> usize {
    let len = digits.len() * BITS / 8;
    let value = |at: usize| {
        let digit = digits
            .get(at)
            .map(|digit| alphabet.values[usize::from(*digit)]);
        u32::from(digit.unwrap_or_default())
    };
    skim(len, looked_for, |at| {
        let (first, off) = (at * 8 / BITS, at * 8 % BITS);
        if BITS == 5 {
            let number = value(first) << 10 | value(first + 1) << 5 | value(first + 2);
            (number >> (7 - off)) as u8
        } else {
            let number = value(first) << BITS | value(first + 1);
            (number >> (2 * BITS - 8 - off)) as u8
        }
    })
}

/// Where text that is still going on at `end` can begin at the earliest, if not at `start`: behind the last byte that
/// ends text. Nothing is text already at `start`.
#[inline]
fn last_break(start: usize, end: usize, class: impl Fn(usize) -> Class) -> Option<usize> {
    // Bytes behind that go on with a character, up to the end; whether the byte behind must follow on text.
    let (mut more, mut edge, mut zero) = (0, true, false);
    for at in (start..end).rev() {
        match class(at) {
            Class::Break => return Some(at + 1),
            Class::Text if more > 0 => return Some(at + 2),
            Class::Text => zero = false,
            Class::Zero if more > 0 || zero => return Some(at + 2),
            Class::Zero => zero = true,
            Class::More if zero => return Some(at + 2),
            Class::More => {
                more += 1;
                continue;
            }
            Class::Lead(_) if zero => return Some(at + 2),
            Class::Lead(needs) => {
                let needs = usize::from(needs);
                if more < needs && !edge {
                    return Some(at + 1 + more);
                }
                if more > needs {
                    return Some(at + 2 + needs);
                }
                more = 0;
            }
        }
        edge = false;
    }
    (more > 0 || zero).then_some(start + 1)
}

fn class(byte: u8, wide: bool) -> Class {
    match CLASSES[usize::from(byte)] {
        Class::More | Class::Lead(_) if !wide => Class::Break,
        class => class,
    }
}

// === impl Alphabets ===

impl Alphabets {
    pub(super) fn of(digits: &[u8]) -> Self {
        let own = |digit: &u8| DIGITS_OF[usize::from(*digit)];
        let (blocks, rest) = digits.as_chunks::<TOGETHER>();
        let (mut whole, mut long) = (u8::MAX, 0);
        for block in blocks {
            let of = block.iter().fold(u8::MAX, |of, digit| of & own(digit));
            (whole, long) = (whole & of, long | of);
        }
        whole = rest.iter().fold(whole, |of, digit| of & own(digit));
        Self { whole, long }
    }

    /// Both of base64's read the same.
    pub(super) const fn alike(self) -> bool {
        self.whole & 0b11 == 0b11
    }
}

const fn digits_of() -> [u8; 256] {
    let mut of = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut index = 0;
        while index < ALPHABETS.len() {
            if ALPHABETS[index].values[byte] != NONE {
                of[byte] |= 1 << index;
            }
            index += 1;
        }
        byte += 1;
    }
    of
}

const fn telling() -> [u8; 256] {
    let mut telling = [7; 256];
    let mut byte = 0;
    while byte < 256 {
        let (one, other) = (ALPHABETS[0].values[byte], ALPHABETS[1].values[byte]);
        let value = if one == NONE { other } else { one };
        telling[byte] = value >> 5 & 1 | value >> 2 & 2 | value << 1 & 4;
        byte += 1;
    }
    telling
}

const fn classes() -> [Class; 256] {
    let mut classes = [Class::Break; 256];
    let mut i = 0;
    while i < 256 {
        let byte = i as u8;
        classes[i] = match byte {
            0 => Class::Zero,
            0x80..=0xbf => Class::More,
            0xc2..=0xdf => Class::Lead(1),
            0xe0..=0xef => Class::Lead(2),
            0xf0..=0xf4 => Class::Lead(3),
            byte if is_text(byte) => Class::Text,
            _ => Class::Break,
        };
        i += 1;
    }
    classes
}

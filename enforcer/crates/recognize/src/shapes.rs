//! What a run of digits looks like from outside, so that only those detectors are woken that such a run can concern.
//!
//! A text is full of digits and has few values in it. One glance at the run and the bytes on either side of it decides
//! for all detectors at once; sets are disjoint bits, so the scanner keeps one list of detectors for each bit.

use crate::digits::digits;

/// A set of shapes. Runs of fifteen digits and more count as fifteen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Shapes {
    bits: u64,
    /// What may stand around those that are not grouped.
    apart: u64,
    /// What may stand around those that are grouped, by their lengths.
    grouped: [u64; LENGTHS],
}

/// What a place in a text has: one shape, or several while the text's end leaves it open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    bits: u64,
    /// Of a run that is grouped, the sign behind it and how many digits follow that; a `+` before any.
    around: u64,
}

/// How many lengths of a run are told apart, and how many of the run that follows it in a group.
const LENGTHS: usize = 16;
const FOLLOWING: usize = 8;
/// How far behind those lengths what ends a run is looked for.
const LONG: usize = 32;
/// What stands between runs that are grouped.
const SIGNS: [u8; 6] = *b") -+./";
/// Around a run that is bare, around one that is tailed by one letter or by several, around one that is lettered and has a
/// letter behind it or something else, and around one behind a `+`.
const APART: u64 = 1 << 58;
const ONE: u64 = 1 << 59;
const SEVERAL: u64 = 1 << 60;
const LETTER: u64 = 1 << 61;
const OTHER: u64 = 1 << 62;
const PLUS: u64 = 1 << 63;
const GROUPED: usize = 1;

impl Shapes {
    /// None.
    pub const NONE: Self = Self {
        bits: 0,
        apart: 0,
        grouped: [0; LENGTHS],
    };

    /// Runs of these lengths with nothing of a word or number beside them; those of one or two digits only before a comma
    /// and a blank.
    #[must_use]
    pub const fn bare(lengths: &[usize]) -> Self {
        Self::of(0, lengths, APART)
    }

    /// Runs of these lengths with a `)` behind them, or a blank, `-`, `+`, `.` or `/` and then a digit or `(`; behind those of
    /// more than three digits, a letter there too.
    #[must_use]
    pub const fn grouped(lengths: &[usize]) -> Self {
        Self::of(GROUPED, lengths, u64::MAX)
    }

    /// Those that are grouped by this sign, with so many digits behind it.
    #[must_use]
    pub const fn followed(lengths: &[usize], sign: u8, following: &[usize]) -> Self {
        let mut around = 0;
        let mut next = 0;
        while next < following.len() {
            around |= by(sign, following[next]);
            next += 1;
        }
        Self::of(GROUPED, lengths, around)
    }

    /// Runs of these lengths with a letter behind them, at once or where digits could be of those that are grouped.
    #[must_use]
    pub const fn tailed(lengths: &[usize]) -> Self {
        Self::of(2, lengths, ONE | SEVERAL)
    }

    /// Those of these with one letter behind them, or those with several.
    #[must_use]
    pub const fn with_letters(mut self, several: bool) -> Self {
        self.apart &= if several { SEVERAL } else { ONE };
        self
    }

    /// Runs of these lengths with a capital letter before them, whatever is behind.
    #[must_use]
    pub const fn lettered(lengths: &[usize]) -> Self {
        Self::of(3, lengths, LETTER | OTHER)
    }

    /// Those of these with a letter behind them, or those with none.
    #[must_use]
    pub const fn before_letter(mut self, letter: bool) -> Self {
        self.apart &= if letter { LETTER } else { OTHER };
        self
    }

    const fn of(class: usize, lengths: &[usize], around: u64) -> Self {
        let mut all = Self::NONE;
        let mut next = 0;
        while next < lengths.len() {
            all.bits |= 1 << (class * LENGTHS + lengths[next]);
            if class == GROUPED {
                all.grouped[lengths[next]] |= around;
            } else {
                all.apart |= around;
            }
            next += 1;
        }
        all
    }

    /// Only those of these that stand behind a `+`.
    #[must_use]
    pub const fn behind_plus(mut self) -> Self {
        self.apart = PLUS;
        let mut length = 0;
        while length < LENGTHS {
            self.grouped[length] &= PLUS;
            length += 1;
        }
        self
    }

    /// Those of either.
    #[must_use]
    pub const fn or(mut self, other: Self) -> Self {
        self.bits |= other.bits;
        self.apart |= other.apart;
        let mut length = 0;
        while length < LENGTHS {
            self.grouped[length] |= other.grouped[length];
            length += 1;
        }
        self
    }

    /// Whether one of them may be what a place has.
    #[must_use]
    pub fn meets(&self, shape: Shape) -> bool {
        let common = self.bits & shape.bits;
        let mut bits = (0..64).filter(|bit| common >> bit & 1 != 0);
        bits.any(|bit| self.around(bit) & shape.around != 0)
    }

    /// One bit a shape, for tables of 64 entries.
    #[must_use]
    pub const fn bits(&self) -> u64 {
        self.bits
    }

    /// What may stand around the one with this bit; one of the bits of [`Shape::around`].
    #[must_use]
    pub fn around(&self, bit: usize) -> u64 {
        if bit / LENGTHS == GROUPED {
            self.grouped[bit % LENGTHS]
        } else {
            self.apart
        }
    }

    /// The shapes that the run of digits beginning at `at` can have: all that are still possible where the text ends with
    /// the run, or behind it, and is not `last`. None where a small letter, `_`, `-`, `.` or `$` stands before it.
    #[must_use]
    #[inline]
    pub fn at(text: &[u8], at: usize, last: bool) -> Shape {
        let before = at.checked_sub(1).and_then(|index| text.get(index)).copied();
        let lettered = match before {
            Some(b'-' | b'.' | b'$') => return Shape::NONE,
            Some(b'a'..=b'z' | b'_') if !after_escape(text, at) => return Shape::NONE,
            Some(b'A'..=b'Z') => true,
            Some(_) | None => false,
        };
        let known = text.get(at..).unwrap_or_default();
        let length = digits(known, LENGTHS - 1);
        let behind = known.get(length).copied();
        let mut shape = match (behind, lettered) {
            (None, true) if !last => Shape::from(3, length),
            (None, false) if !last => Shape::from(0, length)
                .or(Shape::from(GROUPED, length))
                .or(Shape::from(2, length)),
            (_, true) => Shape::lettered(length, behind),
            (_, false) => Shape::free(length, &known[length..], last),
        };
        if before == Some(b'+') {
            shape.around |= PLUS;
        }
        shape
    }
}

impl Shape {
    const NONE: Self = Self { bits: 0, around: 0 };

    /// One bit a shape, as [`Shapes::bits`].
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.bits
    }

    /// What stands around; [`Shapes::around`] says what may.
    #[must_use]
    pub const fn around(self) -> u64 {
        self.around
    }

    /// Of a run with no letter before it, by what stands behind it.
    #[inline]
    fn free(length: usize, rest: &[u8], last: bool) -> Self {
        let (behind, next) = (rest.first().copied(), rest.get(1).copied());
        let comma = behind == Some(b',') && matches!(next, Some(b' ') | None);
        let bare = if length > 2 || comma {
            Self::one(0, length)
        } else {
            Self::NONE
        };
        match (behind, next) {
            (Some(b'A'..=b'Z' | b'a'..=b'z'), _) => Self::tailed(length, next),
            (Some(b')'), _) => Self::group(length, u64::MAX),
            (Some(b' ' | b'-' | b'+' | b'.' | b'/'), None) if !last => {
                let more = Self::group(length, u64::MAX).or(Self::tailed(length, None));
                bare.or(more)
            }
            (Some(b' ' | b'-' | b'+' | b'.' | b'/'), Some(b'0'..=b'9' | b'(')) => {
                Self::group(length, following(rest))
            }
            (Some(sign @ (b' ' | b'-' | b'+' | b'.' | b'/')), Some(b'A'..=b'Z' | b'a'..=b'z'))
                if length > 3 =>
            {
                Self::group(length, by(sign, 0))
            }
            (Some(b' ' | b'-' | b'+' | b'.' | b'/'), Some(b'A'..=b'Z' | b'a'..=b'z')) => {
                Self::tailed(length, rest.get(2).copied())
            }
            // The run is longer than is told apart.
            (Some(b'0'..=b'9'), _) => match rest.get(digits(rest, LONG)..) {
                Some([behind, rest @ ..]) if behind.is_ascii_alphabetic() => {
                    Self::tailed(length, rest.first().copied())
                }
                Some([]) if !last => bare.or(Self::tailed(length, None)),
                Some(_) | None => bare,
            },
            (Some(_) | None, _) => bare,
        }
    }

    /// Of a run with a letter behind it, and `next` behind that.
    #[inline]
    fn tailed(length: usize, next: Option<u8>) -> Self {
        let around = match next {
            Some(b'A'..=b'Z' | b'a'..=b'z') => SEVERAL,
            Some(_) => ONE,
            None => ONE | SEVERAL,
        };
        Self {
            around,
            ..Self::one(2, length)
        }
    }

    #[inline]
    fn lettered(length: usize, behind: Option<u8>) -> Self {
        let letter = behind.is_some_and(|byte| byte.is_ascii_alphabetic());
        Self {
            around: if letter { LETTER } else { OTHER },
            ..Self::one(3, length)
        }
    }

    #[inline]
    const fn group(length: usize, around: u64) -> Self {
        let bits = Self::one(GROUPED, length).bits;
        Self { bits, around }
    }

    #[inline]
    const fn one(class: usize, length: usize) -> Self {
        let bits = 1 << (class * LENGTHS + length);
        let around = APART;
        Self { bits, around }
    }

    /// This length and all greater ones.
    const fn from(class: usize, length: usize) -> Self {
        let lengths = (u16::MAX << length) as u64;
        Self {
            bits: lengths << (class * LENGTHS),
            around: u64::MAX,
        }
    }

    const fn or(self, other: Self) -> Self {
        Self {
            bits: self.bits | other.bits,
            around: self.around | other.around,
        }
    }
}

/// One bit for this sign and so many digits behind it; all where it is none of those.
const fn by(sign: u8, following: usize) -> u64 {
    let most = FOLLOWING - 1;
    let following = if following > most { most } else { following };
    let mut place = 0;
    while place < SIGNS.len() {
        if SIGNS[place] == sign {
            return 1 << (place * FOLLOWING + following);
        }
        place += 1;
    }
    u64::MAX
}

/// What a sign and the digits behind it are; all that they may become where no more is known.
#[inline]
fn following(rest: &[u8]) -> u64 {
    let [sign, rest @ ..] = rest else {
        return u64::MAX;
    };
    let length = digits(rest, FOLLOWING);
    if length == rest.len() {
        return u64::MAX;
    }
    by(*sign, length)
}

/// The letter before is that of an escape (`\n`), which no word begins or ends with.
#[inline]
pub(crate) fn after_escape(text: &[u8], at: usize) -> bool {
    at >= 2 && text[at - 2] == b'\\' && matches!(text[at - 1], b'n' | b't' | b'r')
}

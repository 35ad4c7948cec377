//! What a run of digits looks like from outside, so that only those detectors are woken that such a run can concern.
//!
//! A text is full of digits and has few values in it. One glance at the run and the bytes on either side of it decides
//! for all detectors at once; sets are disjoint bits, so the scanner keeps one list of detectors for each bit.

/// A set of shapes. A place in a text has one of them, or several while the text's end leaves it open.
///
/// Runs of fifteen digits and more count as fifteen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Shapes(u64);

/// How many lengths of a run are told apart.
const LENGTHS: usize = 16;

impl Shapes {
    /// None.
    pub const NONE: Self = Self(0);

    /// Runs of these lengths with nothing of a word or number beside them; those of one or two digits only before a comma
    /// and a blank.
    #[must_use]
    pub const fn bare(lengths: &[usize]) -> Self {
        Self::of(0, lengths)
    }

    /// Runs of these lengths with a `)` behind them, or a blank, `-`, `+`, `.` or `/` and then a digit or `(`; behind those of
    /// more than three digits, a letter there too.
    #[must_use]
    pub const fn grouped(lengths: &[usize]) -> Self {
        Self::of(1, lengths)
    }

    /// Runs of these lengths with a letter behind them, at once or where digits could be of those that are grouped.
    #[must_use]
    pub const fn tailed(lengths: &[usize]) -> Self {
        Self::of(2, lengths)
    }

    /// Runs of these lengths with a capital letter before them, whatever is behind.
    #[must_use]
    pub const fn lettered(lengths: &[usize]) -> Self {
        Self::of(3, lengths)
    }

    const fn of(class: usize, lengths: &[usize]) -> Self {
        let mut bits = 0;
        let mut next = 0;
        while next < lengths.len() {
            bits |= 1 << (class * LENGTHS + lengths[next]);
            next += 1;
        }
        Self(bits)
    }

    /// Those of either.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether they have one in common.
    #[must_use]
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// One bit a shape, for tables of 64 entries.
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// The shapes that the run of digits beginning at `at` can have: all that are still possible where the text ends with
    /// the run, or behind it, and is not `last`. None where a small letter, `_`, `-`, `.` or `$` stands before it.
    #[must_use]
    #[inline]
    pub fn at(text: &[u8], at: usize, last: bool) -> Self {
        let before = at.checked_sub(1).and_then(|index| text.get(index)).copied();
        let lettered = match before {
            Some(b'-' | b'.' | b'$') => return Self::NONE,
            Some(b'a'..=b'z' | b'_') if !after_escape(text, at) => return Self::NONE,
            Some(b'A'..=b'Z') => true,
            Some(_) | None => false,
        };
        let known = text.get(at..).unwrap_or_default();
        let length = known
            .iter()
            .take(LENGTHS - 1)
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        match (known.get(length), lettered) {
            (None, true) if !last => Self::from(3, length),
            (None, false) if !last => Self::from(0, length)
                .or(Self::from(1, length))
                .or(Self::from(2, length)),
            (_, true) => Self::one(3, length),
            (behind, false) => Self::free(
                length,
                behind.copied(),
                known.get(length + 1).copied(),
                last,
            ),
        }
    }

    /// Of a run with no letter before it, by what stands behind it and behind that.
    #[inline]
    fn free(length: usize, behind: Option<u8>, next: Option<u8>, last: bool) -> Self {
        let comma = behind == Some(b',') && matches!(next, Some(b' ') | None);
        let bare = if length > 2 || comma {
            Self::one(0, length)
        } else {
            Self::NONE
        };
        match (behind, next) {
            (Some(b'A'..=b'Z' | b'a'..=b'z'), _) => Self::one(2, length),
            (Some(b')'), _) => Self::one(1, length),
            (Some(b' ' | b'-' | b'+' | b'.' | b'/'), None) if !last => {
                bare.or(Self::one(1, length)).or(Self::one(2, length))
            }
            (Some(b' ' | b'-' | b'+' | b'.' | b'/'), Some(b'0'..=b'9' | b'(')) => {
                Self::one(1, length)
            }
            (Some(b' ' | b'-' | b'+' | b'.' | b'/'), Some(b'A'..=b'Z' | b'a'..=b'z')) => {
                Self::one(if length > 3 { 1 } else { 2 }, length)
            }
            // A sixteenth digit too: the run is longer than is told apart.
            (Some(_) | None, _) => bare,
        }
    }

    #[inline]
    const fn one(class: usize, length: usize) -> Self {
        Self(1 << (class * LENGTHS + length))
    }

    /// This length and all greater ones.
    const fn from(class: usize, length: usize) -> Self {
        let lengths = (u16::MAX << length) as u64;
        Self(lengths << (class * LENGTHS))
    }
}

/// The letter before is that of an escape (`\n`), which no word begins or ends with.
#[inline]
pub(crate) fn after_escape(text: &[u8], at: usize) -> bool {
    at >= 2 && text[at - 2] == b'\\' && matches!(text[at - 1], b'n' | b't' | b'r')
}

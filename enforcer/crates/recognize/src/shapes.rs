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

    /// Runs of these lengths with nothing of a word or number beside them.
    #[must_use]
    pub const fn bare(lengths: &[usize]) -> Self {
        Self::of(0, lengths)
    }

    /// Runs of these lengths with a `)` behind them, or a blank, `-`, `+`, `.` or `/` and then a letter, digit or `(`.
    #[must_use]
    pub const fn grouped(lengths: &[usize]) -> Self {
        Self::of(1, lengths)
    }

    /// Runs of these lengths with a letter behind them.
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
    /// the run, or behind it, and is not `last`.
    #[must_use]
    #[inline]
    pub fn at(text: &[u8], at: usize, last: bool) -> Self {
        let before = at.checked_sub(1).and_then(|index| text.get(index)).copied();
        let class = match before {
            Some(b'a'..=b'z' | b'_') if !after_escape(text, at) => return Self::NONE,
            Some(b'A'..=b'Z') => Some(3),
            _ => None,
        };
        let known = text.get(at..).unwrap_or_default();
        let length = known
            .iter()
            .take(LENGTHS - 1)
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let behind = (known.get(length).copied(), known.get(length + 1).copied());
        let open = behind.0.is_none() && !last;
        match class {
            Some(class) if open => Self::from(class, length),
            Some(class) => Self::one(class, length),
            None if open => Self::from(0, length)
                .or(Self::from(1, length))
                .or(Self::from(2, length)),
            None if behind.1.is_none() && !last && length < LENGTHS - 1 => {
                Self::one(Self::behind(behind), length).or(Self::one(0, length))
            }
            None => Self::one(Self::behind(behind), length),
        }
    }

    /// The class that the two bytes behind a run make it.
    #[inline]
    fn behind(bytes: (Option<u8>, Option<u8>)) -> usize {
        match bytes {
            (Some(b')'), _) => 1,
            (Some(b' ' | b'-' | b'+' | b'.' | b'/'), next) => {
                usize::from(next.is_none_or(|byte| byte.is_ascii_alphanumeric() || byte == b'('))
            }
            (Some(b'A'..=b'Z' | b'a'..=b'z'), _) => 2,
            // A sixteenth digit too: the run is longer than is told apart.
            _ => 0,
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

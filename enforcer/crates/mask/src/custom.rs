//! Detectors of the operator's own: expressions, dictionaries, canaries.

mod canary;
mod dictionary;
mod pattern;

use std::ops::Range;

pub(crate) use canary::Canary;
pub(crate) use dictionary::Dictionary;
pub(crate) use pattern::Pattern;

/// The most bytes that a value of an operator's detector takes.
pub(crate) const LONGEST: usize = 4096;

/// A detector of the operator's own.
#[derive(Debug)]
pub(crate) enum Custom {
    Canary(Canary),
    Dictionary(Dictionary),
    Pattern(Box<Pattern>),
}

/// A text as far as it is known.
#[derive(Clone, Copy)]
pub(crate) struct Part<'a> {
    pub(crate) text: &'a [u8],
    /// What begins before this is settled.
    pub(crate) from: usize,
    /// The text ends here for good.
    pub(crate) last: bool,
}

impl Custom {
    /// Tells of each value that begins at or behind `from`, and answers from where on nothing is settled yet: the earliest
    /// place at which a value could begin that is not there whole.
    pub(crate) fn scan(&self, part: Part<'_>, found: &mut impl FnMut(Range<usize>)) -> usize {
        match self {
            Self::Canary(canary) => canary.scan(part, found),
            Self::Dictionary(dictionary) => dictionary.scan(part, found),
            Self::Pattern(pattern) => pattern.scan(part, found),
        }
    }
}

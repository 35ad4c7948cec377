//! What a detector answers.

use std::ops::Range;

/// What is to be seen from where a detector was woken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sight {
    /// A value of its kind.
    Found {
        /// Where it stands in the text.
        span: Range<usize>,
        /// How sure that is.
        confidence: Confidence,
    },
    /// None.
    Nothing,
    /// It depends on what follows: from `start` on nothing may be let go. Never said of a text that has ended.
    Open {
        /// Where the value would begin.
        start: usize,
    },
}

/// How sure it is that a value is what it looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Confidence {
    /// Its shape alone.
    Low,
    /// Its shape, and words beside it or a weak check.
    Medium,
    /// A check that chance hardly passes, or a prefix that nothing else has.
    High,
}

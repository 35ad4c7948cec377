//! What can be wrong with a ledger.

use std::fmt;
use std::path::PathBuf;

/// The first bad place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The file.
    pub file: PathBuf,
    /// The line in that file, counted from one.
    pub line: u64,
    /// What is wrong there.
    pub problem: Problem,
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The line of the anchor's number has another hash.
    #[error(
        "the line of the anchor's number has another hash: what stands up to here was rewritten"
    )]
    Anchor,
    /// The anchor's line would be in a part that is not there.
    #[error("the anchor is older than the oldest part that is there")]
    AnchorAbsent,
    /// The ledger ends before the anchor.
    #[error(
        "the ledger ends at number {found}, before the anchor at {expected}: lines were cut off its end"
    )]
    Cut {
        /// The anchor's number.
        expected: u64,
        /// The last number there is.
        found: u64,
    },
    /// The file has no line.
    #[error("the file is empty")]
    Empty,
    /// The content and the hash do not agree.
    #[error("the line was changed, or a line before it was replaced: its hash does not agree")]
    Hash,
    /// It is not a JSON object with `seq`, `time` and `event`.
    #[error("not a ledger line")]
    NotALine,
    /// The first line of a file is not `ledger_opened` of a format this version knows.
    #[error("the file does not begin with a `ledger_opened` line of format 1")]
    NotAnOpening,
    /// The file belongs to another ledger than the one before it.
    #[error("the file belongs to another ledger than the part before it")]
    OtherLedger,
    /// A file of the series is missing or in the wrong place.
    #[error("part {expected} is missing: this is part {found}")]
    Part {
        /// The number that should come.
        expected: u64,
        /// The number that came.
        found: u64,
    },
    /// The numbers have a gap or go back.
    #[error("number {expected} expected, {found} found: lines were removed, added or moved")]
    Sequence {
        /// The number that should come.
        expected: u64,
        /// The number that came.
        found: u64,
    },
    /// No line is so long.
    #[error("the line is longer than any ledger line")]
    TooLong,
    /// The last line has no end: it is being written, or a crash or a cut left it so.
    #[error(
        "the line ends after {bytes} bytes without a line feed: cut off, or still being written"
    )]
    Torn {
        /// What there is of it.
        bytes: usize,
    },
    /// The file does not follow the part before it.
    #[error(
        "the file does not follow the part before it: lines were changed, or cut off that part's end"
    )]
    Unlinked,
    /// The last field is not the hash.
    #[error("the line does not end in a hash")]
    Unsealed,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            line,
            problem,
        } = self;
        write!(f, "{}:{line}: {problem}", file.display())
    }
}

//! Why a body cannot be understood in one way only.

use std::fmt;

/// Why a body cannot be judged. The codes are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Undecidable {
    /// A JSON object with one key twice: readers differ in which they take.
    DuplicateKeys,
    /// Text that is not UTF-8.
    InvalidUtf8,
    /// More or fewer bytes than the head says.
    Length,
    /// Not what its media type says it is.
    Malformed,
    /// Nested deeper than is read.
    TooDeep,
    /// More than is read.
    TooLarge,
    /// It did not come in time.
    TooLate,
    /// A content encoding that is not undone.
    UnknownEncoding,
    /// A media type that is not read.
    UnknownType,
}

impl Undecidable {
    /// Every one, in the order of their codes.
    pub const ALL: [Self; 9] = [
        Self::DuplicateKeys,
        Self::InvalidUtf8,
        Self::Length,
        Self::Malformed,
        Self::TooDeep,
        Self::TooLarge,
        Self::TooLate,
        Self::UnknownEncoding,
        Self::UnknownType,
    ];

    /// The stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::DuplicateKeys => "body_duplicate_keys",
            Self::InvalidUtf8 => "body_invalid_utf8",
            Self::Length => "body_length",
            Self::Malformed => "body_malformed",
            Self::TooDeep => "body_too_deep",
            Self::TooLarge => "body_too_large",
            Self::TooLate => "body_too_late",
            Self::UnknownEncoding => "body_unknown_encoding",
            Self::UnknownType => "body_unknown_type",
        }
    }
}

/// The cause as a phrase that can follow "because".
impl fmt::Display for Undecidable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DuplicateKeys => "the body has a JSON object with one key twice",
            Self::InvalidUtf8 => "the body is not UTF-8",
            Self::Length => "the body is not as long as its head says",
            Self::Malformed => "the body is not what its media type says",
            Self::TooDeep => "the body is nested too deeply",
            Self::TooLarge => "the body is larger than is read",
            Self::TooLate => "the body did not come in time",
            Self::UnknownEncoding => "the body is in a content encoding that is not read",
            Self::UnknownType => "the body is of a media type that is not read",
        })
    }
}

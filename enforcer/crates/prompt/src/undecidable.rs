//! Why a body cannot be understood in one way only.

use std::fmt;

/// A body that cannot be judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undecidable {
    /// Why.
    pub cause: Cause,
    /// A JSON pointer to where; empty when it is about the whole.
    pub place: String,
    /// How many bytes in.
    pub offset: usize,
}

/// Why a body cannot be judged. The codes are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// A key that some readers would take for another: `Model` beside or instead of `model`, two spellings of one field.
    AmbiguousKey,
    /// A boundary that is missing, occurs where it must not, or does not end the body.
    Boundary,
    /// A JSON object with one key twice: readers differ in which they take.
    DuplicateKey,
    /// No bytes where there must be some.
    Empty,
    /// Pieces that contradict each other: other arguments than were streamed, another type than was announced.
    Inconsistent,
    /// Text that is not Unicode.
    InvalidUnicode,
    /// More or fewer bytes than the head says.
    Length,
    /// Not what its media type says it is.
    Malformed,
    /// A number that readers take for different ones.
    Number,
    /// Not what the interface takes.
    Schema,
    /// Nested deeper than is read.
    TooDeep,
    /// More bytes than are read.
    TooLarge,
    /// It did not come in time.
    TooLate,
    /// More values or parts than are read.
    TooMany,
    /// Something stands behind the end.
    TrailingBytes,
    /// It ends too early.
    Truncated,
    /// A content encoding that is not undone.
    UnknownEncoding,
    /// A media type that is not read.
    UnknownType,
}

// === impl Undecidable ===

impl Undecidable {
    /// A finding at a place.
    #[must_use]
    pub fn new(cause: Cause, place: impl Into<String>, offset: usize) -> Self {
        Self {
            cause,
            place: place.into(),
            offset,
        }
    }

    /// A finding about the whole.
    #[must_use]
    pub fn whole(cause: Cause) -> Self {
        Self::new(cause, "", 0)
    }
}

impl fmt::Display for Undecidable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            cause,
            place,
            offset,
        } = self;
        match place.is_empty() {
            true => write!(f, "{cause} (at byte {offset})"),
            false => write!(f, "{cause} (at `{place}`, byte {offset})"),
        }
    }
}

impl std::error::Error for Undecidable {}

// === impl Cause ===

impl Cause {
    /// Every one, in the order of their codes.
    pub const ALL: [Self; 18] = [
        Self::AmbiguousKey,
        Self::Boundary,
        Self::DuplicateKey,
        Self::Empty,
        Self::Inconsistent,
        Self::InvalidUnicode,
        Self::Length,
        Self::Malformed,
        Self::Number,
        Self::Schema,
        Self::TooDeep,
        Self::TooLarge,
        Self::TooLate,
        Self::TooMany,
        Self::TrailingBytes,
        Self::Truncated,
        Self::UnknownEncoding,
        Self::UnknownType,
    ];

    /// The stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::AmbiguousKey => "body_ambiguous_key",
            Self::Boundary => "body_boundary",
            Self::DuplicateKey => "body_duplicate_key",
            Self::Empty => "body_empty",
            Self::Inconsistent => "body_inconsistent",
            Self::InvalidUnicode => "body_invalid_unicode",
            Self::Length => "body_length",
            Self::Malformed => "body_malformed",
            Self::Number => "body_number",
            Self::Schema => "body_schema",
            Self::TooDeep => "body_too_deep",
            Self::TooLarge => "body_too_large",
            Self::TooLate => "body_too_late",
            Self::TooMany => "body_too_many",
            Self::TrailingBytes => "body_trailing_bytes",
            Self::Truncated => "body_truncated",
            Self::UnknownEncoding => "body_unknown_encoding",
            Self::UnknownType => "body_unknown_type",
        }
    }
}

/// The cause as a phrase that can follow "because".
impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AmbiguousKey => "the body has a key that readers could take for another",
            Self::Boundary => "the parts of the body cannot be told apart",
            Self::DuplicateKey => "the body has a JSON object with one key twice",
            Self::Empty => "the body is empty",
            Self::Inconsistent => "parts of the body contradict each other",
            Self::InvalidUnicode => "the body is not Unicode",
            Self::Length => "the body is not as long as its head says",
            Self::Malformed => "the body is not what its media type says",
            Self::Number => "the body has a number that is read in more than one way",
            Self::Schema => "the body is not what the interface takes",
            Self::TooDeep => "the body is nested too deeply",
            Self::TooLarge => "the body is larger than is read",
            Self::TooLate => "the body did not come in time",
            Self::TooMany => "the body has more parts than are read",
            Self::TrailingBytes => "something stands behind the body's end",
            Self::Truncated => "the body ends too early",
            Self::UnknownEncoding => "the body is in a content encoding that is not read",
            Self::UnknownType => "the body is of a media type that is not read",
        })
    }
}

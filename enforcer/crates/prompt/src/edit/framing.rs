//! How an answer is cut into frames.

use super::pen::Cut;
use super::{array, sse};
use crate::{Api, Media, Provider, Shape};

/// How the answer is cut.
#[derive(Debug)]
pub(super) enum Framing {
    Array(array::Splitter),
    Events(sse::Splitter),
    /// Not cut, because nobody has to look any more.
    Passing,
    /// Elements of an array, if it turns out to be one; so far only white space.
    Undetermined(Vec<u8>),
    Whole(Vec<u8>),
}

impl Framing {
    pub(super) fn of(shape: &Shape) -> Self {
        match (&shape.media, shape.api) {
            (Media::EventStream, _) => Self::Events(sse::Splitter::default()),
            (_, Api::Model(Provider::Gemini, _)) => Self::Undetermined(Vec::new()),
            // A content type that promises something else is no reason to look away.
            (_, _) => Self::Whole(Vec::new()),
        }
    }

    /// What frames are, as far as that is known.
    pub(super) fn cut(&self) -> Cut {
        match self {
            Self::Array(_) => Cut::Elements,
            Self::Events(_) => Cut::Events,
            Self::Passing | Self::Undetermined(_) | Self::Whole(_) => Cut::Whole,
        }
    }

    /// Settles how the answer is cut, once a byte says so, and gives back the white space that came before; nothing as long
    /// as there is no other.
    pub(super) fn determine(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let Self::Undetermined(before) = self else {
            return Some(Vec::new());
        };
        let Some(first) = bytes.iter().find(|byte| !byte.is_ascii_whitespace()) else {
            before.extend_from_slice(bytes);
            return None;
        };
        let spaces = std::mem::take(before);
        *self = match first {
            b'[' => Self::Array(array::Splitter::default()),
            _ => Self::Whole(Vec::new()),
        };
        Some(spaces)
    }
}

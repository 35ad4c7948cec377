//! A piece of an answer that is judged and given out as one.

use std::ops::Range;

/// A piece of an answer, as it came.
#[derive(Clone, Debug)]
pub(super) struct Frame<'f> {
    /// All its bytes, with separators.
    pub(super) raw: &'f [u8],
    /// What is in it.
    pub(super) data: Data,
}

/// What is in a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Data {
    /// Several lines of an event, joined.
    Joined(String),
    /// Nothing that would have to be judged: comments, brackets, white space.
    Nothing,
    /// A part of the bytes.
    Span(Range<usize>),
}

impl<'f> Frame<'f> {
    /// One that is all data.
    pub(super) fn whole(raw: &'f [u8]) -> Self {
        Self {
            raw,
            data: Data::Span(0..raw.len()),
        }
    }

    /// One without data.
    pub(super) fn blank(raw: &'f [u8]) -> Self {
        Self {
            raw,
            data: Data::Nothing,
        }
    }

    /// The data's bytes.
    pub(super) fn data(&self) -> Option<&[u8]> {
        match &self.data {
            Data::Joined(text) => Some(text.as_bytes()),
            Data::Nothing => None,
            Data::Span(range) => self.raw.get(range.clone()),
        }
    }

    /// What would be in it if it were `raw`, which has other data.
    pub(super) fn edited<'e>(&self, raw: &'e [u8], data: &str) -> Frame<'e> {
        let data = match &self.data {
            Data::Span(range) => Data::Span(range.start..range.start + data.len()),
            Data::Joined(_) => Data::Joined(data.to_owned()),
            Data::Nothing => Data::Nothing,
        };
        Frame { raw, data }
    }

    /// The bytes with other data.
    pub(super) fn with(&self, data: &str) -> Vec<u8> {
        match &self.data {
            Data::Span(range) => {
                let before = self.raw.get(..range.start).unwrap_or_default();
                let after = self.raw.get(range.end..).unwrap_or_default();
                [before, data.as_bytes(), after].concat()
            }
            Data::Joined(_) => super::sse::with_data(self.raw, data),
            Data::Nothing => self.raw.to_vec(),
        }
    }
}

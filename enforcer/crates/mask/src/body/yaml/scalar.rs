//! A text without quotes gets them where it would begin with what is put in its place.

use crate::Sink;
use crate::body::spelling::Spelling;

/// How a value is being written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Style {
    /// As it came.
    Bare,
    /// Nothing was written yet.
    #[default]
    Fresh,
    /// In quotes that are ours.
    Quoted,
}

/// A value without quotes of its own.
pub(super) struct Scalar<'a> {
    style: &'a mut Style,
    down: &'a mut dyn Sink,
}

impl<'a> Scalar<'a> {
    pub(super) fn new(style: &'a mut Style, down: &'a mut dyn Sink) -> Self {
        Self { style, down }
    }

    /// The value has ended.
    pub(super) fn end(&mut self) {
        if *self.style == Style::Quoted {
            self.down.replace(0, b"\"");
        }
        *self.style = Style::Fresh;
    }
}

impl Sink for Scalar<'_> {
    fn keep(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        if *self.style != Style::Quoted {
            *self.style = Style::Bare;
            return self.down.keep(bytes);
        }
        let mut written = Vec::with_capacity(bytes.len());
        Spelling::Json.write(bytes, &mut written);
        if written == bytes {
            self.down.keep(bytes);
        } else {
            self.down.replace(bytes.len(), &written);
        }
    }

    fn replace(&mut self, taken: usize, with: &[u8]) {
        let mut written = Vec::with_capacity(with.len() + 1);
        if *self.style == Style::Fresh {
            written.push(b'"');
            *self.style = Style::Quoted;
        }
        match self.style {
            Style::Quoted => Spelling::Json.write(with, &mut written),
            Style::Bare | Style::Fresh => Spelling::Bare.write(with, &mut written),
        }
        self.down.replace(taken, &written);
    }
}

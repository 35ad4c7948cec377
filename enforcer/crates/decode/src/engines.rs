//! What takes encodings off one text: characters, and runs of digits.

use crate::blocks::{BLOCK, padded};
use crate::channel::Look;
use crate::chars::{self, Chars};
use crate::decoder::Limits;
use crate::layers::Layers;
use crate::runs::{self, Runs};
use crate::view::Trail;

/// A text as far as it is known, with enough of what was known before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window<'a> {
    pub(crate) text: &'a [u8],
    /// Offset of the first byte of `text`.
    pub(crate) base: u64,
    /// Index of the first byte that was not given before.
    pub(crate) new: usize,
    pub(crate) last: bool,
    /// The way from this text up to the one that was given; none for that itself.
    pub(crate) trail: Option<&'a Trail<'a>>,
}

#[derive(Clone, Debug)]
pub(crate) struct Engines {
    limits: Limits,
    chars: Chars,
    runs: Runs,
    above: Layers,
    /// Nothing was fed yet.
    unfed: bool,
}

// === impl Engines ===

impl Engines {
    pub(crate) fn new(limits: Limits, above: Layers) -> Self {
        Self {
            limits,
            chars: Chars::default(),
            runs: Runs::default(),
            above,
            unfed: true,
        }
    }

    /// As new ones, in the room that they have.
    pub(crate) fn restart(&mut self, limits: Limits, above: Layers) {
        (self.limits, self.above) = (limits, above);
        self.chars = Chars::default();
        self.runs.restart();
        self.unfed = true;
    }

    /// What is before these places is others'.
    pub(crate) fn begin(&mut self, chars: u64, runs: u64) {
        self.chars.begin(chars);
        self.runs.begin_at(runs);
    }

    /// What was taken off above.
    pub(crate) fn layers(&mut self, above: Layers) {
        self.above = above;
    }

    pub(crate) fn feed(&mut self, window: &Window<'_>, look: &mut Look<'_>) {
        if std::mem::take(&mut self.unfed) && window.last && self.is_plain(window) {
            return;
        }
        let Self {
            limits,
            chars,
            runs,
            above,
            unfed: _,
        } = self;
        chars.feed(window, (limits, *above), look);
        runs.feed(window, (limits, *above), look);
    }

    /// One look at all of a short text, as most of what runs of digits say is: nothing is to be taken off it.
    fn is_plain(&self, window: &Window<'_>) -> bool {
        let from = window.new.min(self.chars.begins(window.base));
        let Some(text) = window.text.get(from..).filter(|text| text.len() <= BLOCK) else {
            return false;
        };
        let block = padded(text);
        chars::none_coded(&block, self.limits.layers) && runs::none_tells(&block)
    }

    pub(crate) fn open(&self) -> Option<u64> {
        [self.chars.open(), self.runs.open()]
            .into_iter()
            .flatten()
            .min()
    }

    pub(crate) fn first_source(&self) -> Option<u64> {
        [self.chars.first_source(), self.runs.first_source()]
            .into_iter()
            .flatten()
            .min()
    }
}

//! A text as it comes, and the views of it.

use crate::channel::{CONTEXT, Look};
use crate::engines::{Engines, Window};
use crate::layers::Layers;
use crate::view::View;

/// Texts are worked through in blocks, so that views are read while they are in the processor's cache.
const BLOCK: usize = 16 * 1024;

/// What is taken off, and how far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many layers lie over each other at most.
    pub depth: usize,
    /// Which are taken off.
    pub layers: Layers,
    /// For how many bytes behind an escape the text is shown decoded. A value that is longer and has its only escape
    /// near its beginning is not seen.
    pub linger: usize,
}

/// Takes encodings off a text that comes in pieces.
#[derive(Clone, Debug)]
pub struct Decoder {
    engines: Engines,
    /// The end of what was given.
    kept: Vec<u8>,
    /// Offset of the first byte of `kept`.
    base: u64,
}

/// What could be taken off `text`, at its surface.
#[must_use]
pub fn engaged(text: &[u8]) -> Layers {
    let mut found = Layers::NONE;
    let limits = Limits {
        depth: 1,
        ..Limits::default()
    };
    Decoder::new(&limits).push(text, true, &mut |view| found |= view.layers());
    found
}

// === impl Limits ===

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: 4,
            layers: Layers::ALL,
            linger: 4096,
        }
    }
}

// === impl Decoder ===

impl Decoder {
    /// For one text.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self {
            engines: Engines::new(limits.clone(), Layers::NONE),
            kept: Vec::new(),
            base: 0,
        }
    }

    /// As a new one, in the room that it has; what of the last text was held is gone.
    pub fn restart(&mut self, limits: &Limits) {
        let Self {
            engines,
            kept,
            base,
        } = self;
        engines.restart(limits.clone(), Layers::NONE);
        kept.clear();
        *base = 0;
    }

    /// Takes the next piece; `last` if the text ends with it. Every view that grew is shown to `look`.
    pub fn push(&mut self, text: &[u8], last: bool, look: &mut dyn FnMut(&mut View<'_>)) {
        let mut done = 0;
        if !self.kept.is_empty() {
            done = text
                .len()
                .min(if text.len() > BLOCK { CONTEXT } else { BLOCK });
            let new = self.kept.len();
            self.kept.extend_from_slice(&text[..done]);
            let window = Window {
                text: &self.kept,
                base: self.base,
                new,
                last: last && done == text.len(),
                trail: None,
            };
            self.engines.feed(&window, look);
            if done == text.len() {
                self.forget();
                return;
            }
        }
        self.base += self.kept.len() as u64 - done as u64;
        self.kept.clear();
        self.direct(text, done, last, look);
        if last {
            self.base += text.len() as u64;
            return;
        }
        let from = text.len().saturating_sub(CONTEXT);
        self.kept.extend_from_slice(&text[from..]);
        self.base += from as u64;
    }

    /// The earliest place of the text, in bytes since its beginning, from where on nothing may be let go: what was
    /// begun there can still become part of an encoding, or of something that `look` held.
    #[must_use]
    pub fn open_from(&self) -> Option<u64> {
        self.engines.open()
    }

    /// Works through what follows the first `done` bytes of `text`, which stands at `base`.
    fn direct(&mut self, text: &[u8], mut done: usize, last: bool, look: &mut Look<'_>) {
        loop {
            let end = text.len().min(done + BLOCK);
            let from = done.saturating_sub(CONTEXT);
            let window = Window {
                text: &text[from..end],
                base: self.base + from as u64,
                new: done - from,
                last: last && end == text.len(),
                trail: None,
            };
            self.engines.feed(&window, look);
            done = end;
            if done == text.len() {
                return;
            }
        }
    }

    fn forget(&mut self) {
        if self.kept.len() > 8 * CONTEXT {
            let gone = self.kept.len() - CONTEXT;
            self.kept.drain(..gone);
            self.base += gone as u64;
        }
    }
}

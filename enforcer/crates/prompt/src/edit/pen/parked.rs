//! A frame that waits for the next one or for the end: if it is the last, what is held belongs into it.

use std::ops::Range;

use super::super::Stop;
use super::super::frame::{Data, Frame};
use super::channel::{Channels, Key};
use super::stencil::quote;
use crate::json::Patch;

/// A piece of a text, where it stands, and what of it may go in any case.
pub(super) type Waiting = (Key, Range<usize>, String);

#[derive(Debug)]
pub(super) struct Parked {
    raw: Vec<u8>,
    data: Data,
    text: String,
    patch: Patch,
    waiting: Vec<Waiting>,
}

impl Parked {
    pub(super) fn new(
        frame: &Frame<'_>,
        text: &str,
        (patch, waiting): (Patch, Vec<Waiting>),
    ) -> Self {
        Self {
            raw: frame.raw.to_vec(),
            data: frame.data.clone(),
            text: text.to_owned(),
            patch,
            waiting,
        }
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.waiting.iter().map(|(key, ..)| key)
    }

    /// The frame when another follows.
    pub(super) fn unfinished(self) -> Vec<u8> {
        let Self {
            raw,
            data,
            text,
            mut patch,
            waiting,
        } = self;
        for (_, span, said) in waiting {
            patch.put(span, quote(&said));
        }
        Frame { raw: &raw, data }.with(&patch.apply(&text))
    }

    /// The frame when none follows.
    pub(super) fn finish(mut self, channels: &mut Channels) -> Result<Vec<u8>, Stop> {
        for (key, _, said) in &mut self.waiting {
            let (rest, _) = channels.end(key)?;
            said.push_str(&rest);
        }
        Ok(self.unfinished())
    }
}

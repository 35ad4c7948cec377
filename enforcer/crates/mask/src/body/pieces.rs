//! What changes of a whole text.

use crate::Sink;

/// What changes of a text, as long as nothing does, at no cost.
#[derive(Debug, Default)]
pub(crate) struct Pieces {
    changes: Vec<Change>,
    /// How much stays behind the last change.
    kept: usize,
}

#[derive(Debug)]
struct Change {
    /// How much stays before it.
    kept: usize,
    taken: usize,
    with: Vec<u8>,
}

impl Sink for Pieces {
    fn keep(&mut self, bytes: &[u8]) {
        self.kept += bytes.len();
    }

    fn replace(&mut self, taken: usize, with: &[u8]) {
        self.changes.push(Change {
            kept: std::mem::take(&mut self.kept),
            taken,
            with: with.to_vec(),
        });
    }
}

impl Pieces {
    pub(crate) fn changed(&self) -> bool {
        !self.changes.is_empty()
    }

    /// Gives out the text that this was told of.
    pub(crate) fn give(&self, text: &[u8], sink: &mut dyn Sink) {
        let mut at = 0;
        for change in &self.changes {
            sink.keep(text.get(at..at + change.kept).unwrap_or_default());
            sink.replace(change.taken, &change.with);
            at += change.kept + change.taken;
        }
        sink.keep(text.get(at..).unwrap_or_default());
    }

    /// The text as it is to become.
    pub(crate) fn text(&self, text: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(text.len());
        self.give(text, &mut out);
        out
    }
}

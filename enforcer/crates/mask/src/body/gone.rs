//! What is looked at when it is whole, and had to go on before as far as it had come: a name, a number, a tag.

use super::desk::Desk;
use crate::{Sink, Stop};

/// How much of it went on.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Gone(usize);

/// Gives on what did not go yet.
struct Rest<'s> {
    gone: usize,
    /// Something was to be replaced that went.
    changed: bool,
    down: &'s mut dyn Sink,
}

// === impl Gone ===

impl Gone {
    /// As much as that.
    pub(crate) const fn so_much(self) -> usize {
        self.0
    }

    /// What has come goes on, if nothing is found in it as if it ended there. There is nothing yet to put in its place.
    pub(crate) fn lapse(
        &mut self,
        (raw, text): (&[u8], &[u8]),
        desk: &mut Desk,
        sink: &mut dyn Sink,
    ) -> Result<(), Stop> {
        let before = desk.count();
        if desk.judge(text)?.is_some() {
            return Err(stuck(desk, before));
        }
        sink.keep(raw.get(self.0..).unwrap_or_default());
        self.0 = raw.len();
        Ok(())
    }

    /// Has given out what is whole now, without what went. What is found there can be replaced no more.
    pub(crate) fn rest<T, E: From<Stop>>(
        &mut self,
        desk: &mut Desk,
        sink: &mut dyn Sink,
        give: impl FnOnce(&mut Desk, &mut dyn Sink) -> Result<T, E>,
    ) -> Result<T, E> {
        if self.0 == 0 {
            return give(desk, sink);
        }
        let before = desk.count();
        let mut rest = Rest {
            gone: self.0,
            changed: false,
            down: sink,
        };
        let given = give(desk, &mut rest)?;
        if rest.changed {
            return Err(stuck(desk, before).into());
        }
        self.0 = 0;
        Ok(given)
    }
}

/// Nothing more of a body goes on in which something was found that went on in part.
fn stuck(desk: &Desk, before: usize) -> Stop {
    match desk.irreplaceable(before) {
        Err(stop) => stop,
        Ok(()) => desk.undecidable("something that changes after a part of it went on"),
    }
}

// === impl Rest ===

impl Sink for Rest<'_> {
    fn keep(&mut self, bytes: &[u8]) {
        let went = self.gone.min(bytes.len());
        self.gone -= went;
        if !self.changed {
            self.down.keep(bytes.get(went..).unwrap_or_default());
        }
    }

    fn replace(&mut self, taken: usize, with: &[u8]) {
        self.changed |= self.gone > 0;
        self.gone = self.gone.saturating_sub(taken);
        if !self.changed {
            self.down.replace(taken, with);
        }
    }
}

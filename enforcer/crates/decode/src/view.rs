//! What a text says once something was taken off it.

use std::ops::Range;

use crate::layers::Layers;
use crate::map::Map;

/// The maps from a view up to the text that was given.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trail<'a> {
    pub(crate) map: &'a Map,
    pub(crate) up: Option<&'a Trail<'a>>,
}

/// A decoded text, as far as it goes; shown again when it goes on.
#[derive(Debug)]
pub struct View<'a> {
    pub(crate) text: &'a [u8],
    pub(crate) base: u64,
    pub(crate) fresh: usize,
    /// What begins before this is others' to find: it is only context.
    pub(crate) floor: usize,
    pub(crate) last: bool,
    pub(crate) layers: Layers,
    pub(crate) trail: Trail<'a>,
    pub(crate) hold: Option<usize>,
}

// === impl View ===

impl<'a> View<'a> {
    /// What it says, with some of what was shown before as context.
    #[must_use]
    pub const fn text(&self) -> &'a [u8] {
        self.text
    }

    /// From where it was not looked at yet; what is before is context.
    #[must_use]
    pub const fn fresh(&self) -> usize {
        self.fresh
    }

    /// It ends here for good.
    #[must_use]
    pub const fn last(&self) -> bool {
        self.last
    }

    /// What was taken off to get to it, as far as it goes.
    #[must_use]
    pub const fn layers(&self) -> Layers {
        self.layers
    }

    /// Where `span` stood in the text that was given, in bytes since its beginning: whole encoded units.
    ///
    /// `None` if nothing was decoded in it or beside it, so that it is found without this view.
    #[must_use]
    pub fn source(&self, span: Range<usize>) -> Option<Range<u64>> {
        if span.start < self.floor {
            return None;
        }
        let span = self.span(span);
        self.trail.map.changed(&span)?;
        let mut range = self.trail.map.source(span.clone());
        // With the byte behind it, which may decide about it.
        let mut with = self.trail.map.source(span.start..span.end + 1);
        let mut up = self.trail.up;
        while let Some(trail) = up {
            // A run that goes on in a decoded text began before it: that part of it is no news.
            if trail.map.is_before_changes(&with) {
                return None;
            }
            range = trail.map.source(range);
            with = trail.map.source(with);
            up = trail.up;
        }
        Some(range)
    }

    /// What was taken off `span` and what is beside it.
    #[must_use]
    pub fn layers_of(&self, span: Range<usize>) -> Layers {
        let mut range = self.span(span);
        let mut map = self.trail.map;
        let mut layers = map.changed(&range).unwrap_or_default();
        let mut up = self.trail.up;
        while let Some(trail) = up {
            range = map.source(range);
            map = trail.map;
            layers |= map.taken_off(&range).unwrap_or_default();
            up = trail.up;
        }
        layers
    }

    /// Something that begins at `at` depends on what follows: it is shown again from there, and [`Decoder::open_from`]
    /// says where it stands.
    ///
    /// [`Decoder::open_from`]: crate::Decoder::open_from
    pub fn hold(&mut self, at: usize) {
        let at = at.max(self.floor);
        self.hold = Some(self.hold.map_or(at, |held| held.min(at)));
    }

    const fn span(&self, span: Range<usize>) -> Range<u64> {
        self.base + span.start as u64..self.base + span.end as u64
    }
}

//! One view as it grows, and what is taken off it in turn.

use crate::decoder::Limits;
use crate::engines::{Engines, Window};
use crate::layers::Layers;
use crate::map::Map;
use crate::runs::is_digit;
use crate::view::{Trail, View};

/// Text that is kept before what is new: what detectors and engines look back at.
pub(crate) const CONTEXT: usize = 512;
/// Detectors look back this far.
pub(crate) const LOOKBACK: usize = 64;
/// No escape is longer.
const LONGEST_UNIT: u64 = 12;

/// Whoever looks at views.
pub(crate) type Look<'f> = dyn FnMut(&mut View<'_>) + 'f;

#[derive(Clone, Debug)]
pub(crate) struct Channel {
    text: Vec<u8>,
    /// Offset of the first byte of `text`.
    base: u64,
    /// Up to where the engines have been.
    seen: u64,
    /// Up to where detectors have been.
    fresh: u64,
    /// Nothing that begins before this is of this view.
    floor: u64,
    held: Option<u64>,
    map: Map,
    layers: Layers,
    engines: Option<Box<Engines>>,
}

// === impl Channel ===

impl Channel {
    /// One of `depth` more layers below it.
    pub(crate) fn new(layers: Layers, limits: &Limits) -> Self {
        let below = Limits {
            depth: limits.depth.saturating_sub(1),
            ..limits.clone()
        };
        Self {
            text: Vec::new(),
            base: 0,
            seen: 0,
            fresh: 0,
            floor: 0,
            held: None,
            map: Map::default(),
            layers,
            engines: (below.depth > 0).then(|| Box::new(Engines::new(below, layers))),
        }
    }

    /// As a new one, in the room that it has.
    pub(crate) fn restart(&mut self, layers: Layers, limits: &Limits) {
        let Self {
            text,
            base,
            seen,
            fresh,
            floor,
            held,
            map,
            layers: own,
            engines,
        } = self;
        text.clear();
        map.restart();
        (*base, *seen, *fresh, *floor) = (0, 0, 0, 0);
        (*held, *own) = (None, layers);
        if let Some(engines) = engines {
            let below = Limits {
                depth: limits.depth.saturating_sub(1),
                ..limits.clone()
            };
            engines.restart(below, layers);
        }
    }

    /// Says what was before it in the text around, which begins at `source`; detectors wake behind the first `from` of it.
    pub(crate) fn context(&mut self, bytes: &[u8], source: u64, from: usize) {
        self.same(bytes, source);
        self.fresh = from as u64;
    }

    /// What was said so far is only there to be looked back at.
    pub(crate) fn begins_here(&mut self) {
        self.floor = self.map.end();
        self.engines_begin(self.floor, self.floor);
    }

    /// What was said so far was looked at without this view, but for what reaches up to here.
    pub(crate) fn decodes_from_here(&mut self) {
        let digits = self.text.iter().rev().take_while(|byte| is_digit(**byte));
        let end = self.map.end();
        let run = end - digits.count() as u64;
        self.engines_begin(end.saturating_sub(LONGEST_UNIT), run);
    }

    fn engines_begin(&mut self, chars: u64, runs: u64) {
        self.seen = runs;
        if let Some(engines) = &mut self.engines {
            engines.begin(chars, runs);
        }
    }

    pub(crate) fn same(&mut self, bytes: &[u8], source: u64) {
        self.text.extend_from_slice(bytes);
        self.map.same(bytes.len(), source);
    }

    pub(crate) fn unit(&mut self, bytes: &[u8], source: (u64, u8), layer: Layers) {
        self.text.extend_from_slice(bytes);
        self.map.unit(bytes.len() as u8, source, layer);
    }

    /// Groups of `per` bytes for each `take` bytes from `at` on.
    pub(crate) fn groups(
        &mut self,
        (bytes, per): (&[u8], usize),
        (at, take): (u64, u8),
        layer: Layers,
    ) {
        self.text.extend_from_slice(bytes);
        let units = (bytes.len() / per) as u64;
        self.map.groups((units, per as u8), (at, take), layer);
    }

    /// A byte for each `take` bytes from `at` on; says how many.
    pub(crate) fn units(
        &mut self,
        bytes: impl Iterator<Item = u8>,
        (at, take): (u64, u8),
        layer: Layers,
    ) -> usize {
        let before = self.text.len();
        self.text.extend(bytes);
        let len = self.text.len() - before;
        self.map.groups((len as u64, 1), (at, take), layer);
        len
    }

    pub(crate) fn also(&mut self, layers: Layers) {
        self.layers |= layers;
    }

    /// Shows what it says now, then what is under that.
    pub(crate) fn show(&mut self, up: Option<&Trail<'_>>, last: Last, look: &mut Look<'_>) {
        let Self {
            text,
            base,
            seen,
            fresh,
            floor,
            held,
            map,
            layers,
            engines,
        } = self;
        let trail = Trail { map, up };
        let mut view = View {
            text,
            base: *base,
            fresh: (*fresh - *base) as usize,
            floor: floor.saturating_sub(*base) as usize,
            last: last == Last::Text,
            layers: *layers,
            trail,
            hold: None,
        };
        look(&mut view);
        let end = *base + text.len() as u64;
        *held = view.hold.map(|at| (*base + at as u64).min(end));
        *fresh = held.unwrap_or(end);
        if let Some(engines) = engines {
            engines.layers(*layers);
            let window = Window {
                text,
                base: *base,
                new: (*seen - *base) as usize,
                last: last != Last::No,
                trail: Some(&trail),
            };
            engines.feed(&window, look);
            *seen = end;
        }
        self.trim();
    }

    /// From where it may not be let go, in the source's offsets.
    pub(crate) fn open(&self) -> Option<u64> {
        let below = self.engines.as_ref().and_then(|engines| engines.open());
        let at = match (self.held, below) {
            (Some(one), Some(other)) => one.min(other),
            (one, other) => one.or(other)?,
        };
        Some(self.map.start_of(at))
    }

    /// The earliest place of the source that it may still ask for.
    pub(crate) fn first_source(&self) -> u64 {
        self.map.first_source()
    }

    fn trim(&mut self) {
        let Self {
            text,
            base,
            fresh,
            map,
            engines,
            ..
        } = self;
        let keep = fresh.saturating_sub(CONTEXT as u64).max(*base);
        let gone = (keep - *base) as usize;
        if gone >= 4096 {
            text.drain(..gone);
            *base = keep;
            let needed = engines.as_ref().and_then(|engines| engines.first_source());
            map.forget(needed.map_or(keep, |needed| needed.min(keep)));
        }
    }
}

/// Whether something ends, and what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Last {
    /// It goes on.
    No,
    /// It is shown no further, though the text goes on: the same, undecoded.
    Window,
    /// The text ends.
    Text,
}

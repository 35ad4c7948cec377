//! From places of a view back to places of the text it was made of.

use std::mem;
use std::ops::Range;

use crate::layers::Layers;

/// Bytes before and behind a value that detectors judge it by.
const BESIDE: u64 = 64;

/// Where each byte of a view came from, in offsets since the beginning of both.
#[derive(Clone, Debug, Default)]
pub(crate) struct Map {
    pieces: Vec<Piece>,
    end: u64,
    /// What was taken off what was left out since the last piece.
    left_out: Layers,
    /// Where the first change stands.
    first: Option<u64>,
}

/// Bytes of the view in units of `step`, each made of `take` bytes of the source.
#[derive(Clone, Copy, Debug)]
struct Piece {
    view: u64,
    source: u64,
    units: u64,
    step: u8,
    take: u8,
    /// What was taken off; nothing where the bytes are the source's own.
    layer: Layers,
    /// What was taken off what was left out before it.
    gap: Layers,
}

// === impl Map ===

impl Map {
    /// The next `len` bytes of the view are the source's own from `source` on.
    pub(crate) fn same(&mut self, len: usize, source: u64) {
        let (view, len) = (self.end, len as u64);
        if len == 0 {
            return;
        }
        let gap = mem::take(&mut self.left_out);
        self.end += len;
        if let Some(last) = self.pieces.last_mut()
            && last.same()
            && last.source_end() == source
        {
            last.units += len;
            return;
        }
        self.pieces.push(Piece {
            view,
            source,
            units: len,
            step: 1,
            take: 1,
            layer: Layers::NONE,
            gap,
        });
    }

    /// The next `step` bytes of the view are made of the `take` bytes at `source`.
    pub(crate) fn unit(&mut self, step: u8, (source, take): (u64, u8), layer: Layers) {
        self.first.get_or_insert(self.end);
        if step == 0 {
            self.left_out |= layer;
            return;
        }
        let gap = mem::take(&mut self.left_out);
        let view = self.end;
        self.end += u64::from(step);
        if let Some(last) = self.pieces.last_mut()
            && last.layer == layer
            && last.step == step
            && last.take == take
            && last.source_end() == source
        {
            last.units += 1;
            return;
        }
        self.pieces.push(Piece {
            view,
            source,
            units: 1,
            step,
            take,
            layer,
            gap,
        });
    }

    /// The next bytes of the view are so many times `step`, each made of `take` bytes, from `source` on.
    pub(crate) fn groups(
        &mut self,
        (units, step): (u64, u8),
        (source, take): (u64, u8),
        layer: Layers,
    ) {
        if units == 0 {
            return;
        }
        self.unit(step, (source, take), layer);
        if let Some(last) = self.pieces.last_mut() {
            last.units += units - 1;
        }
        self.end += (units - 1) * u64::from(step);
    }

    /// As a new one, in the room that it has.
    pub(crate) fn restart(&mut self) {
        let mut pieces = mem::take(&mut self.pieces);
        pieces.clear();
        *self = Self {
            pieces,
            ..Self::default()
        };
    }

    /// How many bytes the view has had.
    pub(crate) const fn end(&self) -> u64 {
        self.end
    }

    /// The source of `span`, whole units of it.
    pub(crate) fn source(&self, span: Range<u64>) -> Range<u64> {
        let span = span.start..span.end.min(self.end);
        let start = self.start_of(span.start);
        if span.end <= span.start {
            return start..start;
        }
        let end = self
            .piece(span.end - 1)
            .map_or(start, |piece| piece.unit_at(span.end - 1).end);
        start..end.max(start)
    }

    /// Where in the source the view's byte at `at` begins; its end for one that is not there yet.
    pub(crate) fn start_of(&self, at: u64) -> u64 {
        match self.piece(at) {
            Some(piece) => piece.unit_at(at).start,
            None => self.pieces.last().map_or(0, Piece::source_end),
        }
    }

    /// What was taken off within `span`, or so near that detectors look at it; `None` if all is as in the source.
    pub(crate) fn changed(&self, span: &Range<u64>) -> Option<Layers> {
        self.taken_off(&(span.start.saturating_sub(BESIDE)..span.end + 1))
    }

    /// What was taken off exactly within `span`.
    pub(crate) fn taken_off(&self, span: &Range<u64>) -> Option<Layers> {
        let (from, to) = (span.start, span.end);
        let first = self
            .pieces
            .partition_point(|piece| piece.view_end() <= from);
        let mut before: Option<u64> = None;
        let mut found = None;
        for piece in &self.pieces[first..] {
            if piece.view >= to {
                break;
            }
            let gap = before.is_some_and(|end| end != piece.source);
            if gap || !piece.same() {
                *found.get_or_insert(Layers::NONE) |= piece.layer | piece.gap;
            }
            before = Some(piece.source_end());
        }
        found
    }

    /// Whether all of `range` stands before the first change.
    pub(crate) fn is_before_changes(&self, range: &Range<u64>) -> bool {
        self.first.is_none_or(|first| range.end <= first)
    }

    /// Forgets what is wholly before `view`.
    pub(crate) fn forget(&mut self, view: u64) {
        let gone = self
            .pieces
            .partition_point(|piece| piece.view_end() <= view);
        if gone > 16 {
            self.pieces.drain(..gone - 1);
        }
    }

    /// The earliest place of the source that is still known.
    pub(crate) fn first_source(&self) -> u64 {
        self.pieces.first().map_or(0, |piece| piece.source)
    }

    fn piece(&self, at: u64) -> Option<&Piece> {
        let index = self.pieces.partition_point(|piece| piece.view_end() <= at);
        self.pieces.get(index)
    }
}

// === impl Piece ===

impl Piece {
    const fn same(&self) -> bool {
        self.layer.is_empty()
    }

    const fn view_end(&self) -> u64 {
        self.view + self.units * self.step as u64
    }

    const fn source_end(&self) -> u64 {
        self.source + self.units * self.take as u64
    }

    fn unit_at(&self, at: u64) -> Range<u64> {
        let unit = at.saturating_sub(self.view) / u64::from(self.step);
        let start = self.source + unit * u64::from(self.take);
        start..start + u64::from(self.take)
    }
}

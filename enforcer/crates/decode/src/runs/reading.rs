//! The ways to read a run: an alphabet each, and base64 also from its second, third and fourth digit on, for something
//! that is none of it may stand right before it.

use super::alphabet::{ALPHABETS, Alphabet};
use crate::layers::Layers;

/// So many bytes of text on end are no chance.
const ENOUGH: usize = 8;
/// So many are none where a run is read from every place; they hold three whole groups.
const ENOUGH_APART: usize = 11;

/// One way to read a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    /// Index of its alphabet.
    pub(super) alphabet: usize,
    /// Digits that are passed first.
    pub(super) shift: usize,
}

/// All ways; the first are those of the alphabets, at their indices.
pub(super) static READINGS: [Reading; 13] = [
    Reading::of(0, 0),
    Reading::of(1, 0),
    Reading::of(2, 0),
    Reading::of(3, 0),
    Reading::of(4, 0),
    Reading::of(5, 0),
    Reading::of(6, 0),
    Reading::of(0, 1),
    Reading::of(0, 2),
    Reading::of(0, 3),
    Reading::of(1, 1),
    Reading::of(1, 2),
    Reading::of(1, 3),
];

/// Readings of base64's first alphabet, and those of its second that read the same while none of the four digits comes
/// that they differ in.
pub(super) const TWINS: [(usize, usize); 4] = [(0, 1), (7, 10), (8, 11), (9, 12)];

/// Some of the ways.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Set(u16);

// === impl Reading ===

impl Reading {
    const fn of(alphabet: usize, shift: usize) -> Self {
        Self { alphabet, shift }
    }

    pub(super) fn alphabet(&self) -> &'static Alphabet {
        &ALPHABETS[self.alphabet]
    }

    /// How much text on end is looked for, and whether that is more than ASCII.
    pub(super) const fn looked_for(&self) -> (usize, bool) {
        match self.shift {
            0 => (ENOUGH, true),
            _ => (ENOUGH_APART, false),
        }
    }
}

// === impl Set ===

impl Set {
    pub(super) const NONE: Self = Self(0);

    /// The one at `index`.
    pub(super) const fn of(index: usize) -> Self {
        Self(1 << index)
    }

    /// Those that take off `layers`.
    pub(super) const fn taking(layers: Layers) -> Self {
        let mut set = 0;
        if layers.contains(Layers::BASE64) {
            set |= 0b1_1111_1000_0011;
        }
        if layers.contains(Layers::BASE32) {
            set |= 0b0_0000_0011_1100;
        }
        if layers.contains(Layers::HEX) {
            set |= 0b0_0000_0100_0000;
        }
        Self(set)
    }

    pub(super) const fn has(self, index: usize) -> bool {
        self.0 & 1 << index != 0
    }

    pub(super) const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those of base64's second alphabet that read as one of these of its first does.
    pub(super) const fn twins(self) -> Self {
        Self((self.0 & 1) << 1 | (self.0 & 0b11_1000_0000) << 3)
    }

    pub(super) const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(super) const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

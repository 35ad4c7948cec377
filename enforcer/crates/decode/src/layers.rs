//! The encodings that are known, as a set.

use std::fmt;
use std::ops::{BitOr, BitOrAssign};

/// A set of encodings.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Layers(u16);

/// Every layer with the name it has in findings.
const NAMES: &[(Layers, &str)] = &[
    (Layers::BASE32, "base32"),
    (Layers::BASE64, "base64"),
    (Layers::ENTITY, "html_entity"),
    (Layers::ESCAPE, "escape"),
    (Layers::FORM, "form"),
    (Layers::HEX, "hex"),
    (Layers::INVISIBLE, "invisible"),
    (Layers::LOOKALIKE, "lookalike"),
    (Layers::PERCENT, "percent"),
    (Layers::QUOTED, "quoted_printable"),
    (Layers::SMUGGLED, "smuggled"),
];

// === impl Layers ===

impl Layers {
    /// RFC 4648 base32 of both alphabets, in either case.
    pub const BASE32: Self = Self(1);
    /// Base64 of both alphabets, padded or not, over lines or not.
    pub const BASE64: Self = Self(1 << 1);
    /// HTML's named and numeric references.
    pub const ENTITY: Self = Self(1 << 2);
    /// Escapes behind a backslash, as JSON, JavaScript, Python and C have them.
    pub const ESCAPE: Self = Self(1 << 3);
    /// `+` for a blank; ambiguous elsewhere, so only where the text is known to be a form's or a query's.
    pub const FORM: Self = Self(1 << 4);
    /// Hexadecimal digits, with or without separators.
    pub const HEX: Self = Self(1 << 5);
    /// Characters that are not seen: of no width, of direction, marks over other characters.
    pub const INVISIBLE: Self = Self(1 << 6);
    /// Characters that stand for others: full-width, mathematical, of other scripts, other digits.
    pub const LOOKALIKE: Self = Self(1 << 7);
    /// `%41`, `%u0041`.
    pub const PERCENT: Self = Self(1 << 8);
    /// Quoted-printable, `=41`.
    pub const QUOTED: Self = Self(1 << 9);
    /// Bytes in invisible characters that stand for them: tags, selectors of variations.
    pub const SMUGGLED: Self = Self(1 << 10);

    /// None.
    pub const NONE: Self = Self(0);
    /// All that can be told from the text itself.
    pub const ALL: Self = Self(0x7ff & !Self::FORM.0);

    /// Whether it has every one of `other`.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether there is none in it.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// It without `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The names of those in it, in alphabetical order.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        NAMES
            .iter()
            .filter(move |(layer, _)| self.contains(*layer))
            .map(|(_, name)| *name)
    }
}

impl BitOr for Layers {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Layers {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

impl fmt::Debug for Layers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

impl fmt::Display for Layers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, name) in self.names().enumerate() {
            if i > 0 {
                f.write_str("+")?;
            }
            f.write_str(name)?;
        }
        Ok(())
    }
}

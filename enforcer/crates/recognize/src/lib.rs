//! One recogniser a kind of sensitive value: what it looks like, and the check that tells it from what only looks so.
//!
//! A [`Detector`] says where in a text it wants to be woken, looks from there, and answers with a [`Sight`]. It keeps
//! nothing, allocates nothing on the way to "no", and never looks further than [`Detector::longest`] says. Scanning for
//! the places where detectors wake is `mask`'s.

#![forbid(unsafe_code)]

mod checksum;
mod context;
mod digits;
mod form;
mod key;
mod look;
mod prefix;
mod shapes;
mod sight;
mod solid;

pub mod crypto;
pub mod pii;
pub mod secret;

pub use key::Keys;
pub use look::Look;
pub use prefix::Prefixes;
pub use shapes::{Shape, Shapes};
pub use sight::{Confidence, Sight};
pub use solid::{Run, Solid};

/// One kind of sensitive value.
#[derive(Debug)]
pub struct Detector {
    /// As policies and the ledger call it: `us_ssn`.
    pub name: &'static str,
    /// Its group, which policies can name as a whole.
    pub family: Family,
    /// Where the scanner wakes it.
    pub wake: &'static [Wake],
    /// The most bytes that a value of this kind takes; a longer one is not looked for.
    pub longest: usize,
    /// Says what is to be seen from where it was woken.
    pub recognise: fn(&Look<'_>) -> Sight,
    /// Values that documentation uses as examples; not reported where the operator allows them.
    pub examples: &'static [&'static str],
}

/// Groups of detectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    /// Wallets, keys and seed phrases.
    Crypto,
    /// What tells of a person.
    Pii,
    /// What opens a door.
    Secret,
}

/// Where in a text a detector is woken; [`Look::at`] is what each says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Wake {
    /// At `-----BEGIN`.
    Armor,
    /// At an `=` or `:` directly behind a hexadecimal digit.
    Assignment,
    /// At an `@`.
    At,
    /// At the first byte of a text that stands in a field whose name is known.
    Field,
    /// At the `=` or `:` of an assignment to a word that ends with this one, or, where the text stands in a field whose
    /// name ends with it, at the text's first byte. In small letters; `_`, `-`, `.` and blanks of the word are passed
    /// over: `apikey` is woken by `OPENAI_API_KEY=` and by `"x-api-key" :`. [`Keys`] finds them.
    Key(&'static str),
    /// At this text, where no letter or digit stands before it. [`Prefixes`] finds them.
    Prefix(&'static str),
    /// At `://`.
    Scheme,
    /// At the start of a run of decimal digits that has one of these shapes: [`Shapes::at`] says which shapes a place has.
    /// The value may begin with up to six capital letters that stand directly before the run, or with a `+`.
    Shape(Shapes),
    /// At the first byte of a run of at least 25 letters and digits, and of a shorter one that ends an unfinished text, where
    /// it looks as this one says: [`Run::at`] says how it looks.
    Solid(Solid),
    /// At the first byte of every run of at least twelve words of three to eight small letters with single blanks between
    /// them, and of a shorter one that ends an unfinished text. Where only the end of a long run is still known, its first
    /// known word.
    Words,
}

/// Every detector there is, in the order of their names within each family.
pub fn all() -> impl Iterator<Item = &'static Detector> {
    crypto::DETECTORS
        .iter()
        .chain(pii::DETECTORS)
        .chain(secret::DETECTORS)
        .copied()
}

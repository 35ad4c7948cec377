//! Encodings taken off text, so that what is hidden under them can be looked for, with the way back to where it stood.
//!
//! A [`Decoder`] is given a text as it comes and shows [`View`]s of it: what the text says once escapes, look-alikes and
//! invisible characters are resolved, and what runs of base64, base32 or hexadecimal digits say where that is text; then
//! the same of each view, to a bounded depth. What is shown does not depend on how the text was cut.
//!
//! Pure and bounded: no I/O, no clock; a text in which nothing is to be taken off costs one quick look.

#![forbid(unsafe_code)]

pub mod blocks;
pub mod keyword;
pub mod label;

mod channel;
mod chars;
mod decoder;
mod engines;
mod layers;
mod map;
mod runs;
mod view;

pub use chars::{Folded, fold};
pub use decoder::{Decoder, Limits, engaged};
pub use layers::Layers;
pub use view::View;

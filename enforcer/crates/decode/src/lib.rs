//! Encodings taken off text, so that what is hidden under them can be looked for, with the way back to where it stood.
//!
//! Pure and bounded: no I/O, no clock, nothing grows beyond what its limits say.

#![forbid(unsafe_code)]

//! Sensitive values found and replaced, in whole texts and in streams of them, wherever data can leave.
//!
//! Pure and bounded: no I/O, no clock. What a stream gives is what the whole text would have given, wherever it was cut.

#![forbid(unsafe_code)]

//! Texts that give orders to the model that reads them: fetched pages, results of tools, descriptions of tools.
//!
//! A [`Judge`] is given a text as it comes and keeps a bounded window of it. It compares words, whatever script, case or
//! spelling hides them, with phrases that take a model over; it knows what of a page nobody sees, and looks under
//! encodings. What only talks about such phrases scores far lower than what uses them.
//!
//! Pure: no I/O, no clock. Where a text was cut changes nothing.

#![forbid(unsafe_code)]

mod judge;
mod page;
mod phrase;
mod words;

pub use judge::{Judge, Reason, Verdict, judge};
pub use page::Hidden;

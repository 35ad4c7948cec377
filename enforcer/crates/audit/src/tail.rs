//! The ledger for people: its last lines, what comes after them, and one readable line for each event.

mod fields;
mod follow;
mod render;
#[cfg(test)]
mod tests;

pub use follow::Follower;
pub use render::{Palette, readable, shown};

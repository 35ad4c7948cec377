//! Claims about the crate as a whole, over real files and real handshakes.

mod agent;
mod authority;
mod constraints;
mod prefixed;
mod rotation;
mod stage;
mod stores;
mod trust;
mod upstream;

//! Claims about the crate as a whole, over real files and real handshakes.

mod agent;
mod authority;
mod prefixed;
mod stage;
mod trust;
mod upstream;

//! Whole connections through a whole proxy: agents and far sides on loopback, a map in the kernel's place.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should say where"
)]

mod agent;
mod attribution;
mod dialling;
mod ending;
mod entries;
mod far;
mod first_bytes;
mod lookups;
mod observe;
mod places;
mod stopping;
mod streams;
mod tls;
mod world;

//! The loops that carry queries to the resolver and answers back.

mod tcp;
mod udp;

pub use tcp::{Ending, serve_tcp};
pub use udp::serve_udp;

#[cfg(test)]
mod tests;

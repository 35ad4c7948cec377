//! Other systems' secrets, which agents must not hold: where they come from, and what is made of them on the way out.
//!
//! [`Secrets`] reads them once, at the start. A request gets them by name, as policy says: as a value, or as a signature
//! ([`Scheme`]) over what is sent. Nothing here prints, writes or compares one.

#![forbid(unsafe_code)]

mod secrets;
mod sign;

pub use secrets::{SecretError, Secrets, Source};
pub use sign::{Delivery, Scheme, SignError};

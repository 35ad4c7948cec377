//! Other systems' secrets, which agents must not hold: where they come from, and what is made of them on the way out.
//!
//! [`Secrets`] reads them once, at the start. A request gets them by name, as policy says: as a value, or as a signature
//! ([`Scheme`]) over what is sent; or as the path of a webhook ([`Hooks`]). [`shown_path`] knows what of a path may be
//! written down. Nothing here prints or writes a secret.

#![forbid(unsafe_code)]

mod hooks;
mod secrets;
mod shown;
mod sign;

pub use hooks::{HookError, Hooks, Registered};
pub use secrets::{SecretError, Secrets, Source};
pub use shown::{hides_paths, shown_path};
pub use sign::{Delivery, Scheme, SignError};

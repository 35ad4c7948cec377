//! Each detector against values of its kind and what only looks so, whole and cut at every byte.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "detectors/check.rs"]
mod check;
#[path = "detectors/corpus.rs"]
mod corpus;
#[path = "detectors/crypto.rs"]
mod crypto;
#[path = "detectors/law.rs"]
mod law;
#[path = "detectors/pii.rs"]
mod pii;
#[path = "detectors/secret.rs"]
mod secret;

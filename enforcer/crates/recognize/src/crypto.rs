//! Wallets, keys and seed phrases.

use crate::Detector;

/// All of them, by name.
pub(crate) const DETECTORS: &[&Detector] = &[];

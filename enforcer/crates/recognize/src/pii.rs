//! What tells of a person.

use crate::Detector;

/// All of them, by name.
pub(crate) const DETECTORS: &[&Detector] = &[];

//! What opens a door.

use crate::Detector;

/// All of them, by name.
pub(crate) const DETECTORS: &[&Detector] = &[];

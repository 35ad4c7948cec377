//! Detectors of `secret`.

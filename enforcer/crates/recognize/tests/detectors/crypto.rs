//! Detectors of `crypto`.

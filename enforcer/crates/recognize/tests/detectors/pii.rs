//! Detectors of `pii`.

//! Proof of having been masked, for what is logged, recorded or shown.

use std::fmt;

/// A value that went through a [`Ruleset`](crate::Ruleset); only this crate makes one.
///
/// ```compile_fail
/// let forged = enforcer_mask::Masked(String::from("hunter2"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Masked<T>(T);

impl<T> Masked<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(value)
    }

    /// Lends it.
    #[must_use]
    pub const fn as_inner(&self) -> &T {
        &self.0
    }

    /// Gives it away.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T: fmt::Display> fmt::Display for Masked<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

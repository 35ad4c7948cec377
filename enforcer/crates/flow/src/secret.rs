//! A value that cannot be printed, serialised or copied by accident.

use std::fmt;

use zeroize::Zeroize;

/// Holds a secret. It has no `Display`, no `Serialize` and no `Clone`; its `Debug` shows nothing; it is wiped on drop.
///
/// ```compile_fail
/// let secret = enforcer_flow::Secret::new(String::from("hunter2"));
/// println!("{secret}");
/// ```
///
/// ```compile_fail
/// let secret = enforcer_flow::Secret::new(String::from("hunter2"));
/// let copy = secret.clone();
/// ```
///
/// ```compile_fail
/// fn serialise<T: serde::Serialize>(_: T) {}
/// serialise(enforcer_flow::Secret::new(String::from("hunter2")));
/// ```
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// Takes the value in.
    #[must_use]
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// Lends the value in clear. Only the room that must use it may call this.
    #[must_use]
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing() {
        let secret = Secret::new(String::from("hunter2"));
        assert_eq!(format!("{secret:?}"), "[secret]");
        assert_eq!(secret.expose(), "hunter2");
    }
}

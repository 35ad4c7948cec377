//! `lsm`: whether programs for the kernel's security modules are wanted.

use super::file::Value;
use super::section::Expected;

/// `lsm`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Lsm {
    /// Where they fire.
    #[default]
    Auto,
    /// Nowhere.
    Off,
    /// Where they do not fire nothing is to be started.
    Require,
}

pub(super) fn lsm(value: &Value) -> Result<Lsm, Expected> {
    match value.text() {
        _ if value.is_off() => Ok(Lsm::Off),
        Some("auto") => Ok(Lsm::Auto),
        Some("require") => Ok(Lsm::Require),
        Some(_) | None => Err("`auto`, `require` or `off`".to_owned()),
    }
}

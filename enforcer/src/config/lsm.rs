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
    if *value == Value::Bool(false) {
        // YAML reads a bare `off` as false.
        return Ok(Lsm::Off);
    }
    match value {
        Value::Text(text) if text == "auto" => Ok(Lsm::Auto),
        Value::Text(text) if text == "off" => Ok(Lsm::Off),
        Value::Text(text) if text == "require" => Ok(Lsm::Require),
        // What a bare `off` is to who reads the file.
        Value::Bool(false) => Ok(Lsm::Off),
        Value::Bool(true)
        | Value::Float(_)
        | Value::Integer(_)
        | Value::Map(_)
        | Value::Null
        | Value::Sequence(_)
        | Value::Text(_) => Err("`auto`, `require` or `off`".to_owned()),
    }
}

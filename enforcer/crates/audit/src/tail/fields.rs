//! A line's fields in the order they stand in.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;

/// A JSON object that keeps its order.
#[derive(Debug)]
pub(super) struct Fields(Vec<(String, Value)>);

impl Fields {
    pub(super) fn parse(line: &[u8]) -> Option<Self> {
        serde_json::from_slice(line).ok()
    }

    /// Takes a field out.
    pub(super) fn take(&mut self, key: &str) -> Option<Value> {
        let at = self.0.iter().position(|(name, _)| name == key)?;
        Some(self.0.remove(at).1)
    }

    /// Takes a field out, as text.
    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        self.take(key).map(plain)
    }

    /// Takes a number out.
    pub(super) fn number(&mut self, key: &str) -> Option<u64> {
        self.take(key).as_ref().and_then(Value::as_u64)
    }

    /// Takes a field out of an object that stays otherwise.
    pub(super) fn inner(&mut self, key: &str, inner: &str) -> Option<String> {
        let (_, value) = self.0.iter_mut().find(|(name, _)| name == key)?;
        value.as_object_mut()?.remove(inner).map(plain)
    }

    /// What was not taken.
    pub(super) fn rest(self) -> impl Iterator<Item = (String, String)> {
        self.0.into_iter().map(|(key, value)| (key, plain(value)))
    }
}

fn plain(value: Value) -> String {
    match value {
        Value::String(text) => text,
        Value::Array(items) if items.iter().all(Value::is_string) => {
            items.into_iter().map(plain).collect::<Vec<_>>().join(",")
        }
        Value::Array(_) | Value::Bool(_) | Value::Null | Value::Number(_) | Value::Object(_) => {
            value.to_string()
        }
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Ordered;
        impl<'de> Visitor<'de> for Ordered {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Ordered)
    }
}

//! The file as it was written: a tree of values, each with its position, nothing interpreted.
//!
//! The tree is read by serde without a schema, so that `lower` can report every mistake at once; a derived shape would stop
//! at the first. Repeated keys reach `lower` too, which refuses them by position.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Location, Spanned};

use super::Mistake;

/// Deepest nesting that the configuration needs, with room to spare for a good error message.
const MAX_DEPTH: usize = 16;

/// Most values a file may have, repetitions by alias included.
const MAX_NODES: usize = 20_000;

/// A value and where it stands.
pub(super) type Node = Spanned<Value>;

/// What YAML knows of a value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// `true` or `false`.
    Bool(bool),
    /// A number with a fraction or an exponent.
    Float(f64),
    /// A whole number.
    Integer(i128),
    /// Keys and values, in the order of the file, repetitions kept.
    Map(Vec<(Spanned<String>, Node)>),
    /// Nothing after the colon, or `null`.
    Null,
    /// A list.
    Sequence(Vec<Node>),
    /// Anything else.
    Text(String),
}

/// Reads one YAML document.
pub(super) fn read(text: &str) -> Result<Node, Mistake> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_depth: MAX_DEPTH, max_nodes: MAX_NODES },
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::PassThrough,
        merge_keys: serde_saphyr::MergeKeyPolicy::AsOrdinary,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let (line, column) = error.location().map_or((0, 0), position);
        Mistake {
            line,
            column,
            key: String::new(),
            message: message(&error),
        }
    })
}

/// Line and column of a location, as editors count them.
pub(super) fn position(location: Location) -> (u64, u64) {
    (location.line(), location.column())
}

/// The parser's sentence without the source lines and the position it adds, which we print ourselves.
fn message(error: &serde_saphyr::Error) -> String {
    let mut error = error.without_snippet();
    while let serde_saphyr::Error::AliasError { error: inner, .. } = error {
        error = inner;
    }
    if let serde_saphyr::Error::MultipleDocuments { .. } = error {
        return "a second document starts here, expected one".to_owned();
    }
    if let serde_saphyr::Error::Budget { .. } = error {
        return "more, or nested deeper, than a configuration can mean".to_owned();
    }
    let message = error.to_string();
    let sentence = message.rsplit_once(" at line ").map(|(head, _)| head);
    sentence.map(str::to_owned).unwrap_or(message)
}

struct ValueVisitor;

// === impl Value ===

impl Value {
    /// The whole number, if it is one.
    pub(super) fn integer(&self) -> Option<i128> {
        if let Self::Integer(number) = self {
            return Some(*number);
        }
        None
    }

    /// The text, if it is one.
    pub(super) fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self {
            return Some(text);
        }
        None
    }

    /// Whether it says `off`, of which YAML makes false where it stands bare.
    pub(super) fn is_off(&self) -> bool {
        *self == Self::Bool(false) || self.text() == Some("off")
    }

    /// The value's kind, for error messages.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Bool(_) => "a truth value",
            Self::Float(_) => "a fraction",
            Self::Integer(_) => "a number",
            Self::Map(_) => "a section",
            Self::Null => "nothing",
            Self::Sequence(_) => "a list",
            Self::Text(_) => "a text",
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => write!(f, "`{value}`"),
            Self::Float(value) => write!(f, "`{value}`"),
            Self::Integer(value) => write!(f, "`{value}`"),
            Self::Text(value) => write!(f, "`{}`", value.escape_debug()),
            Self::Map(_) | Self::Null | Self::Sequence(_) => f.write_str(self.kind()),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

// === impl ValueVisitor ===

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Integer(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Integer(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = access.next_element()? {
            list.push(item);
        }
        Ok(Value::Sequence(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = access.next_entry()? {
            entries.push(entry);
        }
        Ok(Value::Map(entries))
    }
}

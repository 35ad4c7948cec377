//! JSON that has one meaning: documents, borrowed from their bytes, every value with its place in them.

mod parse;
mod patch;

use std::borrow::Cow;

pub(crate) use parse::escape;
pub(crate) use patch::Patch;

use crate::{Limits, Undecidable};

/// A whole document and the text it was read from.
#[derive(Clone, Debug, PartialEq)]
pub struct Document<'a> {
    text: &'a str,
    root: Value<'a>,
}

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Value<'a> {
    start: u32,
    end: u32,
    data: Data<'a>,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq)]
pub enum Data<'a> {
    /// A list.
    Array(Vec<Value<'a>>),
    /// `true` or `false`.
    Bool(bool),
    /// `null`.
    Null,
    /// A number that is an integer of 64 bits or a finite fraction.
    Number(Number<'a>),
    /// Members in order, no key twice.
    Object(Vec<Member<'a>>),
    /// A text, without its escapes.
    String(Cow<'a, str>),
}

/// A member of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Member<'a> {
    key: Cow<'a, str>,
    start: u32,
    value: Value<'a>,
}

/// A number as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number<'a>(&'a str);

// === impl Document ===

impl<'a> Document<'a> {
    /// Reads one document and nothing after it.
    ///
    /// # Errors
    ///
    /// When the bytes are no JSON, or JSON that readers understand differently.
    pub fn parse(bytes: &'a [u8], limits: &Limits) -> Result<Self, Undecidable> {
        parse::document(bytes, limits)
    }

    /// The outermost value.
    #[must_use]
    pub fn root(&self) -> &Value<'a> {
        &self.root
    }

    /// The text the document was read from.
    #[must_use]
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// A value of this document as it was written.
    #[must_use]
    pub fn raw(&self, value: &Value<'_>) -> &'a str {
        self.text.get(value.span()).unwrap_or_default()
    }
}

// === impl Value ===

impl<'a> Value<'a> {
    /// What it is.
    #[must_use]
    pub fn data(&self) -> &Data<'a> {
        &self.data
    }

    /// Where it stands in the text.
    #[must_use]
    pub fn span(&self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }

    /// The member with this key, of an object.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value<'a>> {
        self.members()
            .iter()
            .find(|member| member.key == key)
            .map(Member::value)
    }

    /// The value at a path of keys.
    #[must_use]
    pub fn at(&self, keys: &[&str]) -> Option<&Value<'a>> {
        keys.iter().try_fold(self, |value, key| value.get(key))
    }

    /// Hands over every string in it, keys among them. No deeper than documents may be.
    pub fn strings<'v>(&'v self, take: &mut impl FnMut(&'v str)) {
        match &self.data {
            Data::Array(elements) => elements.iter().for_each(|value| value.strings(take)),
            Data::Object(members) => {
                for member in members {
                    take(member.key());
                    member.value().strings(take);
                }
            }
            Data::String(text) => take(text),
            Data::Bool(_) | Data::Null | Data::Number(_) => {}
        }
    }

    /// Elements of an array; none of anything else.
    #[must_use]
    pub fn elements(&self) -> &[Value<'a>] {
        self.as_array().unwrap_or_default()
    }

    /// Members of an object; none of anything else.
    #[must_use]
    pub fn members(&self) -> &[Member<'a>] {
        self.as_object().unwrap_or_default()
    }

    /// Its elements, if it is an array.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Value<'a>]> {
        if let Data::Array(elements) = &self.data {
            Some(elements)
        } else {
            None
        }
    }

    /// Its members, if it is an object.
    #[must_use]
    pub fn as_object(&self) -> Option<&[Member<'a>]> {
        if let Data::Object(members) = &self.data {
            Some(members)
        } else {
            None
        }
    }

    /// Its text, if it is a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        if let Data::String(text) = &self.data {
            Some(text)
        } else {
            None
        }
    }

    /// Whether, if it is a boolean.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        if let Data::Bool(it) = self.data {
            Some(it)
        } else {
            None
        }
    }

    /// Its number, if it is one.
    #[must_use]
    pub fn as_number(&self) -> Option<Number<'a>> {
        if let Data::Number(number) = self.data {
            Some(number)
        } else {
            None
        }
    }

    /// Its number, if it is a whole one that is not negative.
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        self.as_number().and_then(Number::as_u64)
    }

    /// Its number, if it is one.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        self.as_number().map(Number::as_f64)
    }

    /// Whether it is `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self.data, Data::Null)
    }

    /// What it is, in a word.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.data {
            Data::Array(_) => "array",
            Data::Bool(_) => "boolean",
            Data::Null => "null",
            Data::Number(_) => "number",
            Data::Object(_) => "object",
            Data::String(_) => "string",
        }
    }
}

// === impl Member ===

impl<'a> Member<'a> {
    /// Its key.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Its value.
    #[must_use]
    pub fn value(&self) -> &Value<'a> {
        &self.value
    }

    /// Where key and value stand in the text.
    #[must_use]
    pub fn span(&self) -> std::ops::Range<usize> {
        self.start as usize..self.value.end as usize
    }
}

// === impl Number ===

/// Up to here every whole number is a fraction's too.
const EXACT: f64 = 9_007_199_254_740_992.0;

impl<'a> Number<'a> {
    /// As it was written.
    #[must_use]
    pub fn as_str(self) -> &'a str {
        self.0
    }

    /// As a whole number that is not negative, also where it is written as a fraction (`1e3`, `2.0`).
    #[must_use]
    pub fn as_u64(self) -> Option<u64> {
        if let Ok(whole) = self.0.parse() {
            return Some(whole);
        }
        let value = self.as_f64();
        let whole = value.fract() == 0.0 && (0.0..=EXACT).contains(&value);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it was just checked to be whole, not negative and small enough"
        )]
        whole.then_some(value as u64)
    }

    /// As a whole number, if it is written as one that fits.
    #[must_use]
    pub fn as_i64(self) -> Option<i64> {
        self.0.parse().ok()
    }

    /// As the nearest fraction.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        self.0.parse().unwrap_or(f64::NAN)
    }
}

//! What a frame says of texts: pieces of them, and which of them end.

use std::ops::Range;

use serde_json::{Map, Value as Json, json};

use super::super::text::Form;
use super::channel::{Key, Which};
use super::stencil::HOLE;
use crate::json::Value;
use crate::{Cause, Limits, Undecidable};

/// What a layout notes of a frame.
#[derive(Debug, Default)]
pub(super) struct Sheet<'v> {
    /// Pieces of texts, as they stand.
    pub(super) pieces: Vec<Piece<'v>>,
    /// Sounds.
    pub(super) sounds: Vec<&'v Value<'v>>,
    /// Where pieces and sounds stand.
    spans: Vec<Range<usize>>,
    /// Texts that end with this frame.
    pub(super) ends: Vec<Which>,
    /// Of which nothing comes any more, not even by mistake.
    pub(super) forgets: Vec<Which>,
    /// Lists that point into a text; emptied once it is another.
    pub(super) pointers: Vec<(Key, &'v Value<'v>)>,
    /// The text that all of the frame points into; it does not go out once that is another.
    pub(super) points: Option<Key>,
    /// The answer may end here, which only its end will tell.
    pub(super) may_be_last: bool,
}

/// A piece of a text.
#[derive(Debug)]
pub(super) struct Piece<'v> {
    pub(super) key: Key,
    pub(super) value: &'v Value<'v>,
    pub(super) form: Form,
    /// Where it stands, as a JSON pointer.
    pub(super) place: String,
    /// Where it stands in what the owner's events say.
    pub(super) path: Path<'v>,
}

/// Steps to a piece within a delta.
#[derive(Clone, Debug, Default)]
pub(super) struct Path<'v>(pub(super) Vec<Step<'v>>);

#[derive(Clone, Copy, Debug)]
pub(super) enum Step<'v> {
    /// An element with its `index` and its `type`, where it has them.
    Element(Option<u64>, Option<&'v str>),
    /// An element that has an `id` and no `index`.
    Named(&'v str),
    Member(&'v str),
}

impl<'v> Path<'v> {
    pub(super) fn member(name: &'v str) -> Self {
        Self(vec![Step::Member(name)])
    }

    pub(super) fn to(mut self, step: Step<'v>) -> Self {
        self.0.push(step);
        self
    }

    /// The name of the member that holds the piece.
    pub(super) fn field(&self) -> Option<&'v str> {
        self.0.iter().rev().find_map(|step| match step {
            Step::Member(name) => Some(*name),
            Step::Element(..) | Step::Named(_) => None,
        })
    }

    /// The steps as one word, the same for every piece of a text.
    pub(super) fn slot(&self) -> String {
        let mut slot = String::new();
        for step in &self.0 {
            match step {
                Step::Element(index, _) => {
                    slot.push_str(&format!("/{}", index.unwrap_or_default()));
                }
                Step::Member(name) | Step::Named(name) => {
                    slot.push('/');
                    slot.push_str(name);
                }
            }
        }
        slot
    }

    /// A document of nothing but these steps, with the hole at their end.
    pub(super) fn document(&self) -> Json {
        self.0
            .iter()
            .rev()
            .fold(Json::from(HOLE), |inner, step| match step {
                Step::Element(index, kind) => {
                    let index = index.map(|index| ("index", json!(index)));
                    let kind = kind.map(|kind| ("type", json!(kind)));
                    element(inner, index.into_iter().chain(kind))
                }
                Step::Member(name) => json!({ *name: inner }),
                Step::Named(id) => element(inner, [("id", json!(id))]),
            })
    }
}

/// A list of one element, which says more than what is in it.
fn element(inner: Json, more: impl IntoIterator<Item = (&'static str, Json)>) -> Json {
    let mut element = match inner {
        Json::Object(members) => members,
        other => Map::from_iter([("text".to_owned(), other)]),
    };
    for (name, value) in more {
        element.insert(name.to_owned(), value);
    }
    json!([element])
}

// === impl Sheet ===

impl Sheet<'_> {
    /// Settles what was noted, if it is not too much.
    pub(super) fn settle(&mut self, limits: &Limits) -> Result<(), Undecidable> {
        if self.pieces.len().max(self.ends.len()) > limits.parts {
            return Err(Undecidable::whole(Cause::TooMany));
        }
        let pieces = self.pieces.iter().map(|piece| piece.value);
        self.spans = pieces
            .chain(self.sounds.iter().copied())
            .map(Value::span)
            .collect();
        self.spans.sort_by_key(|span| span.start);
        Ok(())
    }

    /// Whether a piece or a sound stands just there.
    pub(super) fn has(&self, span: &Range<usize>) -> bool {
        let found = self.spans.binary_search_by_key(&span.start, |it| it.start);
        found.is_ok()
    }

    /// Whether one stands within.
    pub(super) fn has_in(&self, span: &Range<usize>) -> bool {
        let next = self.spans.partition_point(|it| it.start < span.start);
        self.spans.get(next).is_some_and(|it| it.start < span.end)
    }
}

/// Members of an event that every event has alike, for one that is made of it.
pub(super) fn alike(event: &Value<'_>, names: &[&str]) -> Map<String, Json> {
    let mut members = Map::new();
    for name in names {
        let Some(value) = event.get(name) else {
            continue;
        };
        if let Some(text) = value.as_str() {
            members.insert((*name).to_owned(), json!(text));
        } else if let Some(number) = value.as_u64() {
            members.insert((*name).to_owned(), json!(number));
        }
    }
    members
}

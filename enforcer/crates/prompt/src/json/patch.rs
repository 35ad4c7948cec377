//! Small changes to a document's text that leave everything else byte for byte as it was.

use std::ops::Range;

use super::{Member, Value};

/// Replacements in one text.
#[derive(Debug, Default)]
pub(crate) struct Patch {
    edits: Vec<(Range<usize>, String)>,
}

impl Patch {
    pub(crate) fn is_empty(&self) -> bool {
        self.edits.is_empty()
    }

    /// Puts `text` in the place of a value.
    pub(crate) fn replace(&mut self, value: &Value<'_>, text: impl Into<String>) {
        self.edits.push((value.span(), text.into()));
    }

    /// Puts `text` in a place.
    pub(crate) fn put(&mut self, place: Range<usize>, text: impl Into<String>) {
        self.edits.push((place, text.into()));
    }

    /// Takes elements out of an array, those at the given positions.
    pub(crate) fn remove_elements(&mut self, array: &Value<'_>, gone: impl Fn(usize) -> bool) {
        let spans: Vec<_> = array.elements().iter().map(Value::span).collect();
        self.remove(&spans, gone);
    }

    /// Takes members out of an object, all of them in one call.
    pub(crate) fn remove_members(&mut self, object: &Value<'_>, gone: impl Fn(&str) -> bool) {
        let members = object.members();
        let spans: Vec<_> = members.iter().map(Member::span).collect();
        self.remove(&spans, |at| {
            members.get(at).is_some_and(|member| gone(member.key()))
        });
    }

    /// With each entry goes the comma before it, or after it when nothing that stays is before it.
    fn remove(&mut self, spans: &[Range<usize>], gone: impl Fn(usize) -> bool) {
        let mut kept = false;
        for (at, span) in spans.iter().enumerate() {
            if !gone(at) {
                kept = true;
                continue;
            }
            let range = match (kept, at.checked_sub(1), spans.get(at + 1)) {
                (true, Some(before), _) => spans[before].end..span.end,
                (_, _, Some(after)) => span.start..after.start,
                (_, _, None) => span.clone(),
            };
            self.edits.push((range, String::new()));
        }
    }

    /// The text with all changes.
    pub(crate) fn apply(mut self, text: &str) -> String {
        self.edits
            .sort_by_key(|(range, _)| (range.start, range.end));
        let mut changed = String::with_capacity(text.len());
        let mut at = 0;
        for (range, replacement) in &self.edits {
            // What lies inside something that was taken out goes with it.
            if range.start < at {
                at = at.max(range.end);
                continue;
            }
            changed.push_str(text.get(at..range.start).unwrap_or_default());
            changed.push_str(replacement);
            at = range.end;
        }
        changed.push_str(text.get(at..).unwrap_or_default());
        changed
    }
}

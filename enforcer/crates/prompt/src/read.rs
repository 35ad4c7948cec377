//! Reading an object's members by their types, and keeping account of what is not known.

use crate::call::Unknown;
use crate::json::{self, Member, Value};
use crate::{Cause, Undecidable};

/// Where a reader is; written out only when somebody has to be told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'p> {
    outer: Option<&'p Place<'p>>,
    step: Step<'p>,
}

#[derive(Clone, Copy, Debug)]
enum Step<'p> {
    Index(usize),
    Key(&'p str),
    Root,
}

/// What readers collect beside what they return.
#[derive(Debug, Default)]
pub(crate) struct Notes<'b> {
    pub(crate) unknown: Vec<Unknown<'b>>,
}

impl<'p> Place<'p> {
    pub(crate) const ROOT: Place<'static> = Place {
        outer: None,
        step: Step::Root,
    };

    pub(crate) fn key(&'p self, key: &'p str) -> Place<'p> {
        Place {
            outer: Some(self),
            step: Step::Key(key),
        }
    }

    pub(crate) fn index(&'p self, index: usize) -> Place<'p> {
        Place {
            outer: Some(self),
            step: Step::Index(index),
        }
    }

    /// As a JSON pointer.
    pub(crate) fn pointer(&self) -> String {
        let mut steps = Vec::new();
        let mut at = Some(self);
        while let Some(place) = at {
            match place.step {
                Step::Index(index) => steps.push(index.to_string()),
                Step::Key(key) => steps.push(json::escape(key)),
                Step::Root => {}
            }
            at = place.outer;
        }
        steps.iter().rev().flat_map(|step| ["/", step]).collect()
    }

    pub(crate) fn wrong(&self, cause: Cause, value: &Value<'_>) -> Undecidable {
        Undecidable::new(cause, self.pointer(), value.span().start)
    }
}

impl<'b> Notes<'b> {
    /// Notes a member that this version does not know. One that readers could take for one of `known` is refused instead.
    pub(crate) fn member(
        &mut self,
        at: &Place<'_>,
        member: &'b Member<'b>,
        known: &[&str],
    ) -> Result<(), Undecidable> {
        let key = member.key();
        if known.iter().any(|known| reads_as(key, known)) {
            return Err(at.key(key).wrong(Cause::AmbiguousKey, member.value()));
        }
        if !member.value().is_null() {
            self.unknown.push(Unknown {
                place: at.key(key).pointer(),
                name: key,
                value: member.value(),
            });
        }
        Ok(())
    }
}

/// Whether some reader would take `key` for `known`: another case, as for Go's `encoding/json` with its folding of `ſ` and
/// the Kelvin sign, or the other of `snake_case` and `camelCase`, as for protocol buffers.
fn reads_as(key: &str, known: &str) -> bool {
    let mut left = key.chars().filter(|c| *c != '_').map(folded);
    let mut right = known.chars().filter(|c| *c != '_').map(folded);
    loop {
        match (left.next(), right.next()) {
            (None, None) => return true,
            (Some(a), Some(b)) if a == b => {}
            (_, _) => return false,
        }
    }
}

fn folded(c: char) -> char {
    match c {
        'ſ' => 's',
        '\u{212A}' => 'k',
        other => other.to_ascii_lowercase(),
    }
}

/// A text, or nothing where there is `null`.
pub(crate) fn text<'b>(
    at: &Place<'_>,
    value: &'b Value<'b>,
) -> Result<Option<&'b str>, Undecidable> {
    match value.as_str() {
        Some(text) => Ok(Some(text)),
        None => absent(at, value),
    }
}

/// A text that must be there.
pub(crate) fn required<'b>(at: &Place<'_>, value: &'b Value<'b>) -> Result<&'b str, Undecidable> {
    value.as_str().ok_or_else(|| at.wrong(Cause::Schema, value))
}

/// The text of a member that must be there.
pub(crate) fn member<'b>(
    at: &Place<'_>,
    object: &'b Value<'b>,
    key: &str,
) -> Result<&'b str, Undecidable> {
    match object.get(key) {
        Some(value) => required(&at.key(key), value),
        None => Err(at.key(key).wrong(Cause::Schema, object)),
    }
}

/// The text of a member that may be missing or `null`.
pub(crate) fn optional<'b>(
    at: &Place<'_>,
    object: &'b Value<'b>,
    key: &str,
) -> Result<Option<&'b str>, Undecidable> {
    match object.get(key) {
        Some(value) => text(&at.key(key), value),
        None => Ok(None),
    }
}

/// A whole number that is not negative, or nothing where there is `null`.
pub(crate) fn whole(at: &Place<'_>, value: &Value<'_>) -> Result<Option<u64>, Undecidable> {
    match value.as_u64() {
        Some(number) => Ok(Some(number)),
        None => absent(at, value),
    }
}

/// A number, or nothing where there is `null`.
pub(crate) fn number(at: &Place<'_>, value: &Value<'_>) -> Result<Option<f64>, Undecidable> {
    match value.as_f64() {
        Some(number) => Ok(Some(number)),
        None => absent(at, value),
    }
}

/// Whether, or no where there is `null`.
pub(crate) fn flag(at: &Place<'_>, value: &Value<'_>) -> Result<bool, Undecidable> {
    match value.as_bool() {
        Some(flag) => Ok(flag),
        None => absent(at, value).map(|nothing: Option<bool>| nothing.unwrap_or_default()),
    }
}

/// Elements, or none where there is `null`.
pub(crate) fn list<'b>(
    at: &Place<'_>,
    value: &'b Value<'b>,
) -> Result<&'b [Value<'b>], Undecidable> {
    match value.as_array() {
        Some(elements) => Ok(elements),
        None => absent(at, value).map(|nothing: Option<&[_]>| nothing.unwrap_or_default()),
    }
}

/// Hands over every member of a body that is an object, with its place. What `take` says it does not know is noted.
pub(crate) fn members<'b>(
    root: &'b Value<'b>,
    known: &[&str],
    notes: &mut Notes<'b>,
    mut take: impl FnMut(&str, &Place<'_>, &'b Value<'b>) -> Result<bool, Undecidable>,
) -> Result<(), Undecidable> {
    let place = Place::ROOT;
    for member in object(&place, root)? {
        let at = place.key(member.key());
        if !take(member.key(), &at, member.value())? {
            notes.member(&place, member, known)?;
        }
    }
    Ok(())
}

/// Members of an object that must be one.
pub(crate) fn object<'b>(
    at: &Place<'_>,
    value: &'b Value<'b>,
) -> Result<&'b [Member<'b>], Undecidable> {
    value
        .as_object()
        .ok_or_else(|| at.wrong(Cause::Schema, value))
}

fn absent<T>(at: &Place<'_>, value: &Value<'_>) -> Result<Option<T>, Undecidable> {
    if value.is_null() {
        Ok(None)
    } else {
        Err(at.wrong(Cause::Schema, value))
    }
}

//! What stands beside a text and points into it.

use crate::json::{Patch, Value};

/// Where two texts are alike, in characters.
struct Alike {
    /// At the beginning.
    before: u64,
    /// From here on in the old one, up to the end.
    from: u64,
    old: u64,
    new: u64,
}

/// Moves annotations of a text that has become another to where their words stand now, and takes out those whose words are
/// not the same any more.
pub(super) fn mend(old: &str, new: &str, annotations: &Value<'_>, patch: &mut Patch) {
    let alike = alike(old, new);
    let mut gone = Vec::new();
    for (position, annotation) in annotations.elements().iter().enumerate() {
        let mut moved = Vec::new();
        let mut stays = true;
        for holder in std::iter::once(annotation).chain(inner(annotation)) {
            let place = |name| {
                let value = holder.get(name)?;
                Some((value, value.as_u64()?))
            };
            let start = place("start_index").or_else(|| place("index"));
            let end = place("end_index").or(start);
            let (Some(start), Some(end)) = (start, end) else {
                continue;
            };
            stays &= end.1 <= alike.before || start.1 >= alike.from;
            if start.1 >= alike.from && end.1 > alike.before {
                moved.extend([start, end]);
            }
        }
        if !stays {
            gone.push(position);
            continue;
        }
        moved.dedup_by_key(|(value, _)| value.span());
        for (value, place) in moved {
            let place = (place + alike.new).saturating_sub(alike.old);
            patch.replace(value, place.to_string());
        }
    }
    patch.remove_elements(annotations, |position| gone.contains(&position));
}

/// Objects within an annotation that say what it is.
fn inner<'v>(annotation: &'v Value<'v>) -> impl Iterator<Item = &'v Value<'v>> {
    let members = annotation.members().iter();
    members.map(crate::json::Member::value)
}

fn alike(old: &str, new: &str) -> Alike {
    let same = |(one, other): &(char, char)| one == other;
    let (length, now) = (old.chars().count(), new.chars().count());
    let before = old.chars().zip(new.chars()).take_while(same).count();
    let rest = length.min(now) - before;
    let ends = old.chars().rev().zip(new.chars().rev()).take(rest);
    let after = ends.take_while(same).count();
    Alike {
        before: before as u64,
        from: (length - after) as u64,
        old: length as u64,
        new: now as u64,
    }
}

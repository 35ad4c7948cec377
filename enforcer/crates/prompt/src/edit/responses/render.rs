//! Responses without the items that were taken out.

use super::super::desk::{Rendered, Rulings, Said};
use super::item::Key;
use super::{Responses, read};
use crate::json::{Patch, Value};
use crate::read::Place;

pub(super) fn render(responses: &Responses, said: &Said<'_, '_>, rulings: &Rulings) -> Rendered {
    let root = said.document.root();
    let mut patch = Patch::default();
    let holder = match root.get("response").filter(|it| it.as_object().is_some()) {
        Some(response) => response,
        None => root,
    };
    let item = root.get("item").filter(|it| it.as_object().is_some());
    let stripped = |key: &Key<'_>| {
        let found = responses.find(key).and_then(|at| responses.items.get(at));
        found.is_some_and(|known| known.is_call && rulings.is_stripped(known.ruling))
    };
    if root.get("response").is_none() && stripped(&responses.key(root, item)) {
        return Rendered::Dropped;
    }
    let name = holder.get("id").and_then(Value::as_str);
    let response = name
        .and_then(|name| responses.names.iter().find(|(known, _)| known == name))
        .map_or(responses.response_of(root), |(_, response)| *response);
    for list in ["output", "data"] {
        if let Some(items) = holder.get(list).filter(|it| it.as_array().is_some()) {
            patch.remove_elements(items, |at| {
                let id = items.elements().get(at).and_then(|item| item.get("id"));
                stripped(&Key {
                    id: id.and_then(Value::as_str),
                    index: Some((response, at as u64)),
                })
            });
        }
    }
    renumber(responses, root, rulings, &mut patch);
    Rendered::patched(patch, said.document)
}

/// Moves an item up by as many as are gone before it.
fn renumber(responses: &Responses, root: &Value<'_>, rulings: &Rulings, patch: &mut Patch) {
    let at = Place::ROOT.key("output_index");
    let Some(value) = root.get("output_index") else {
        return;
    };
    let Ok(Some(index)) = read::whole(&at, value) else {
        return;
    };
    let response = responses.response_of(root);
    let before = responses
        .items
        .iter()
        .filter(|item| item.is_call && rulings.is_stripped(item.ruling))
        .filter_map(|item| item.index)
        .filter(|(of, before)| *of == response && *before < index)
        .count() as u64;
    if before > 0 {
        patch.replace(value, index.saturating_sub(before).to_string());
    }
}

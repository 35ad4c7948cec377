//! Everything that a whole answer says.

use enforcer_prompt::Body;
use enforcer_prompt::json::{Data, Value};

/// All texts in a body, keys of objects too, a line each.
pub(super) fn of(body: &Body<'_>) -> String {
    let mut all = String::new();
    let mut take = |text: &str| {
        all.push_str(text);
        all.push('\n');
    };
    match body {
        Body::Text(text) => take(text),
        Body::Empty
        | Body::Form(_)
        | Body::Json(_)
        | Body::JsonLines(_)
        | Body::Multipart(_)
        | Body::Opaque(_) => {
            for document in body.documents() {
                walk(document.root(), &mut take);
            }
        }
    }
    all
}

/// Documents are no deeper than their parser allows.
fn walk(value: &Value<'_>, take: &mut impl FnMut(&str)) {
    match value.data() {
        Data::Array(elements) => elements.iter().for_each(|element| walk(element, take)),
        Data::Object(members) => {
            for member in members {
                take(member.key());
                walk(member.value(), take);
            }
        }
        Data::String(text) => take(text),
        Data::Bool(_) | Data::Null | Data::Number(_) => {}
    }
}

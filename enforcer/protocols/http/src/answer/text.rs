//! Everything that a whole answer says.

use enforcer_prompt::Body;

/// All texts in a body, keys of objects too, a line each.
pub(crate) fn of(body: &Body<'_>) -> String {
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
                document.root().strings(&mut take);
            }
        }
    }
    all
}

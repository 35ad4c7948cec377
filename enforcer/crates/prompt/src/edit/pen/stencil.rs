//! How an event looks that brings what was held of a text, when none comes that could.

use serde_json::Value as Json;

/// An event with a hole where the text goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stencil {
    /// Members, without the brace before them.
    before: String,
    after: String,
    /// Whether events have numbers in their order.
    is_numbered: bool,
    /// What the event is called, where it has a name.
    name: Option<String>,
}

impl Stencil {
    /// A stencil of a document that has [`HOLE`] where the text goes.
    pub(super) fn cut(document: &Json, name: Option<&[u8]>, is_numbered: bool) -> Self {
        let text = document.to_string();
        let (before, after) = text.split_once(QUOTED_HOLE).unwrap_or((&text, ""));
        Self {
            before: before.strip_prefix('{').unwrap_or(before).to_owned(),
            after: after.to_owned(),
            is_numbered,
            name: name.map(|name| String::from_utf8_lossy(name).into_owned()),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.before.len() + self.after.len() + self.name.as_ref().map_or(0, String::len)
    }

    pub(super) fn is_numbered(&self) -> bool {
        self.is_numbered
    }

    pub(super) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The document with the text in it.
    pub(super) fn fill(&self, text: &str, number: u64) -> String {
        let Self { before, after, .. } = self;
        let text = quote(text);
        if self.is_numbered {
            format!("{{\"sequence_number\":{number},{before}{text}{after}")
        } else {
            format!("{{{before}{text}{after}")
        }
    }
}

/// Stands where the text goes; of a private character, so that nothing else is taken for it.
pub(super) const HOLE: &str = "\u{e000}hole\u{e000}";
const QUOTED_HOLE: &str = "\"\u{e000}hole\u{e000}\"";

/// A text as a string of a JSON document.
pub(super) fn quote(text: &str) -> String {
    Json::from(text).to_string()
}

//! YAML text to a tree in which every node knows its place.
//!
//! A reader of typed structures stops at its first mistake; operators want all of them. So the text becomes a tree first,
//! and the shapes are read out of the tree. What policies have no use for (aliases, tags, several documents) is refused.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_saphyr::granit_parser::{self, Event, Parser, ScalarStyle, Span};

use crate::Position;
use crate::diagnostic::{FileId, Findings, Spot};

/// Largest text taken, in bytes.
const MAX_TEXT: usize = 4 << 20;
/// Deepest nesting taken; policies need seven, and the schemas and bodies within them a few more.
const MAX_DEPTH: usize = 32;

/// A value and its place.
#[derive(Clone, Debug)]
pub(crate) struct Node<'t> {
    pub(crate) spot: Spot<'t>,
    pub(crate) value: Value<'t>,
}

#[derive(Clone, Debug)]
pub(crate) enum Value<'t> {
    List(Vec<Node<'t>>),
    Map(Vec<Entry<'t>>),
    /// Nothing, written as nothing, `~` or `null`.
    Null,
    /// A scalar; whether it is a number is for the reader of the shape to say.
    Text(Cow<'t, str>),
}

/// A key with its value; keys are unique within a map.
#[derive(Clone, Debug)]
pub(crate) struct Entry<'t> {
    pub(crate) key: Cow<'t, str>,
    pub(crate) spot: Spot<'t>,
    pub(crate) value: Node<'t>,
}

/// How a scalar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ScalarKind {
    /// Without anything around it: it may be a number or a truth value.
    Plain,
    /// In quotes or as a block: it is text.
    Quoted,
}

// === impl Node ===

impl Node<'_> {
    pub(crate) fn scalar_kind(&self) -> ScalarKind {
        match self.spot.text.starts_with(['"', '\'', '|', '>']) {
            true => ScalarKind::Quoted,
            false => ScalarKind::Plain,
        }
    }
}

// === impl Entry ===

impl<'t> Entry<'t> {
    /// The value, at the key's place when nothing is written for it.
    pub(crate) fn into_value(self) -> Node<'t> {
        let mut value = self.value;
        if let Value::Null = value.value {
            value.spot = self.spot;
        }
        value
    }
}

/// Reads the one document in a text. Findings say why there is none.
pub(crate) fn read<'t>(text: &'t str, findings: &mut Findings) -> Option<Node<'t>> {
    read_file(text, findings.file(), findings)
}

/// The same for a file that is not the first.
pub(crate) fn read_file<'t>(
    text: &'t str,
    file: FileId,
    findings: &mut Findings,
) -> Option<Node<'t>> {
    if text.len() > MAX_TEXT {
        let message = format!("larger than a policy file may be ({MAX_TEXT} bytes)");
        findings.error(Spot::start(file), message, None);
        return None;
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut builder = Builder {
        text,
        file,
        findings,
        open: Vec::new(),
        documents: 0,
        root: None,
    };
    for event in Parser::new_from_str_with_options(text, options()) {
        match event {
            Ok((event, span)) => {
                builder.take(event, span)?;
            }
            Err(fault) => {
                let mark = fault.marker();
                let line = line_from(text, mark.byte_offset());
                let spot = Spot::new(file, position(mark), line);
                let message = format!("not YAML: {}", fault.info());
                builder.findings.error(spot, message, None);
                return None;
            }
        }
    }
    builder.finish()
}

fn options() -> granit_parser::Options {
    let mut options = granit_parser::Options::default();
    options.emit_comments = false;
    options.disallow_directives = true;
    options.emit_unresolved_aliases = true;
    options.flow_nesting_limit = MAX_DEPTH;
    options.block_nesting_limit = MAX_DEPTH;
    options
}

struct Builder<'t, 'f> {
    text: &'t str,
    file: FileId,
    findings: &'f mut Findings,
    open: Vec<Open<'t>>,
    documents: usize,
    root: Option<Node<'t>>,
}

/// A collection whose end was not seen yet.
enum Open<'t> {
    List {
        spot: Spot<'t>,
        items: Vec<Node<'t>>,
    },
    Map {
        spot: Spot<'t>,
        entries: Vec<Entry<'t>>,
        seen: HashMap<Cow<'t, str>, Position>,
        key: Option<Key<'t>>,
    },
}

/// A map's key while its value is awaited.
enum Key<'t> {
    /// Already reported; the value is read and dropped.
    Refused,
    Text(Cow<'t, str>, Spot<'t>),
}

impl<'t> Builder<'t, '_> {
    /// Takes one event; none when nothing after it can be understood.
    fn take(&mut self, event: Event<'t>, span: Span) -> Option<()> {
        let spot = self.spot(span);
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    let hint = "put each policy into a file of its own";
                    self.error(spot, "a second document in one file", hint);
                    return None;
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_properties(spot, anchor, tag.is_some());
                let value = match style {
                    ScalarStyle::Plain if is_null(&text) => Value::Null,
                    _ => Value::Text(text),
                };
                self.attach(Node { spot, value });
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.refuse_properties(spot, anchor, tag.is_some());
                let items = Vec::new();
                self.open.push(Open::List { spot, items });
            }
            Event::MappingStart(_, anchor, tag) => {
                self.refuse_properties(spot, anchor, tag.is_some());
                self.open.push(Open::Map {
                    spot,
                    entries: Vec::new(),
                    seen: HashMap::new(),
                    key: None,
                });
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Alias(_) | Event::UnresolvedAlias(_) => self.refuse_alias(spot),
            // Stream marks and the end of the document carry nothing; comments and anchors are not asked for.
            _ => {}
        }
        Some(())
    }

    fn refuse_alias(&mut self, spot: Spot<'t>) {
        let hint = "write the value out; a `*` at the start of a value needs quotes";
        self.error(spot, "an alias, which policies do not have", hint);
        // Mostly a wildcard that lacks its quotes: read as one, it makes no second finding.
        let value = Value::Text(Cow::Borrowed(spot.text));
        self.attach(Node { spot, value });
    }

    fn refuse_properties(&mut self, spot: Spot<'t>, anchor: usize, tagged: bool) {
        if anchor != 0 {
            let hint = "write the value out; a `&` at the start of a value needs quotes";
            self.error(spot, "an anchor, which policies do not have", hint);
        }
        if tagged {
            let hint = "leave it out; a `!` at the start of a value needs quotes";
            self.error(spot, "a tag, which policies do not have", hint);
        }
    }

    fn close(&mut self) {
        let node = match self.open.pop() {
            Some(Open::List { spot, items }) => Node {
                spot,
                value: Value::List(items),
            },
            Some(Open::Map { spot, entries, .. }) => Node {
                spot,
                value: Value::Map(entries),
            },
            None => return,
        };
        self.attach(node);
    }

    /// Puts a finished node where it belongs: at the root, in the open list, or as key or value into the open map.
    fn attach(&mut self, node: Node<'t>) {
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::List { items, .. }) => items.push(node),
            Some(Open::Map {
                entries, seen, key, ..
            }) => match key.take() {
                None => *key = Some(as_key(node, seen, self.findings)),
                Some(Key::Refused) => {}
                Some(Key::Text(key, spot)) => entries.push(Entry {
                    key,
                    spot,
                    value: node,
                }),
            },
        }
    }

    fn finish(self) -> Option<Node<'t>> {
        if self.root.is_none() {
            let message = "nothing in it".to_owned();
            let hint = "a policy begins with `version: 1`".to_owned();
            let spot = Spot::start(self.file);
            self.findings.error(spot, message, Some(hint));
        }
        self.root
    }

    fn error(&mut self, spot: Spot<'t>, message: &str, hint: &str) {
        self.findings
            .error(spot, message.to_owned(), Some(hint.to_owned()));
    }

    fn spot(&self, span: Span) -> Spot<'t> {
        Spot::new(
            self.file,
            position(&span.start),
            span.slice(self.text).unwrap_or_default(),
        )
    }
}

fn as_key<'t>(
    node: Node<'t>,
    seen: &mut HashMap<Cow<'t, str>, Position>,
    findings: &mut Findings,
) -> Key<'t> {
    let Node { spot, value } = node;
    let key = match value {
        Value::Text(text) => text,
        Value::List(_) | Value::Map(_) | Value::Null => {
            findings.error(spot, "a key that is not a word".to_owned(), None);
            return Key::Refused;
        }
    };
    if let Some(first) = seen.get(&key) {
        let message = format!("`{key}` a second time in one map");
        let hint = format!("it stands at line {} already", first.line);
        findings.error(spot, message, Some(hint));
        return Key::Refused;
    }
    seen.insert(key.clone(), spot.at);
    Key::Text(key, spot)
}

/// The spellings of null in YAML 1.2, section 10.3.2.
fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

fn position(mark: &granit_parser::Marker) -> Position {
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Position {
        line: count(mark.line()),
        column: count(mark.col() + 1),
    }
}

/// The rest of the line that begins at `offset`.
fn line_from(text: &str, offset: Option<usize>) -> &str {
    offset
        .and_then(|at| text.get(at..))
        .and_then(|rest| rest.lines().next())
        .unwrap_or_default()
}

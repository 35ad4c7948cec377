//! A mapping of the file while it is being read: which keys were asked for, which were left over, what was wrong.

use serde_saphyr::Spanned;

use super::Mistake;
use super::file::{Node, Value, position};

/// A key this alike to a valid one is taken for a slip of the pen.
const ALIKE: f64 = 0.8;

/// What a value should have been; becomes the second half of a mistake's message.
pub(super) type Expected = String;

/// One mapping. Ask for every key it may have, then [`Section::finish`] it.
#[derive(Debug)]
pub(super) struct Section<'a> {
    /// The keys that lead here, joined by dots.
    path: String,
    entries: &'a [(Spanned<String>, Node)],
    known: Vec<&'static str>,
    mistakes: &'a mut Vec<Mistake>,
}

impl<'a> Section<'a> {
    /// The file's outermost mapping; an empty file is an empty mapping.
    pub(super) fn root(document: &'a Node, mistakes: &'a mut Vec<Mistake>) -> Self {
        let entries = entries_of("", document, mistakes);
        Self {
            path: String::new(),
            entries,
            known: Vec::new(),
            mistakes,
        }
    }

    /// The mapping below `key`; empty when the key is missing or has no value.
    pub(super) fn section(&mut self, key: &'static str) -> Section<'_> {
        let path = self.path_of(key);
        let entries = match self.find(key) {
            Some(node) => entries_of(&path, node, self.mistakes),
            None => &[],
        };
        Section {
            path,
            entries,
            known: Vec::new(),
            mistakes: self.mistakes,
        }
    }

    /// The value below `key`, put into `place` when it is there and right.
    pub(super) fn read<T>(
        &mut self,
        key: &'static str,
        place: &mut T,
        parse: impl FnOnce(&Value) -> Result<T, Expected>,
    ) {
        let Some(node) = self.find(key) else { return };
        match parse(&node.value) {
            Ok(value) => *place = value,
            Err(expected) => self.refuse(key, node, &expected),
        }
    }

    /// The list below `key`: every right item in order, every wrong one a mistake of its own.
    pub(super) fn list<T>(
        &mut self,
        key: &'static str,
        place: &mut Vec<T>,
        parse: impl Fn(&Value) -> Result<T, Expected>,
    ) {
        let Some(node) = self.find(key) else { return };
        let Value::Sequence(items) = &node.value else {
            return self.refuse(key, node, "a list");
        };
        place.clear();
        for item in items {
            match parse(&item.value) {
                Ok(value) => place.push(value),
                Err(expected) => self.refuse(key, item, &expected),
            }
        }
    }

    /// The mapping below `key`, whose keys the operator chooses: each entry is handed to `take`, which says what is wrong.
    pub(super) fn entries(
        &mut self,
        key: &'static str,
        mut take: impl FnMut(&str, &Value) -> Result<(), Wrong>,
    ) {
        let Some(node) = self.find(key) else { return };
        let path = self.path_of(key);
        for (name, node) in entries_of(&path, node, self.mistakes) {
            match take(&name.value, &node.value) {
                Ok(()) => {}
                Err(Wrong::Key(message)) => {
                    self.mistakes.push(mistake(
                        position(name.referenced),
                        &path,
                        format!("key `{}`: {message}", name.value.escape_debug()),
                    ));
                }
                Err(Wrong::Value(expected)) => self.refuse(key, node, &expected),
            }
        }
    }

    /// Says that values contradict each other, or the world; blames the first of `keys` that the file has. Defaults do
    /// neither, so one of the keys that made the value is there.
    pub(super) fn contradiction(&mut self, keys: &[&'static str], message: &str) {
        let written = keys.iter().find_map(|key| Some((*key, self.find(key)?)));
        let (key, at) = match written {
            Some((key, node)) => (key, position(node.referenced)),
            None => (keys.first().copied().unwrap_or_default(), (0, 0)),
        };
        let path = self.path_of(key);
        self.mistakes.push(mistake(at, &path, message.to_owned()));
    }

    /// Reports every key that nobody asked for, and every key that stands twice.
    pub(super) fn finish(self) {
        for (index, (name, _)) in self.entries.iter().enumerate() {
            let key = name.value.as_str();
            let at = position(name.referenced);
            let path = join(&self.path, key);
            let first = self.entries[..index].iter().find(|(n, _)| n.value == key);
            if let Some((first, _)) = first {
                let (line, _) = position(first.referenced);
                let message = format!("stands here for the second time, first on line {line}");
                self.mistakes.push(mistake(at, &path, message));
            } else if !self.known.contains(&key) {
                let message = unknown(key, &self.known);
                self.mistakes.push(mistake(at, &path, message));
            }
        }
    }

    fn find(&mut self, key: &'static str) -> Option<&'a Node> {
        if !self.known.contains(&key) {
            self.known.push(key);
        }
        let mut entries = self.entries.iter();
        entries
            .find(|(name, _)| name.value == key)
            .map(|(_, node)| node)
    }

    fn refuse(&mut self, key: &str, node: &Node, expected: &str) {
        let message = format!("expected {expected}, found {}", node.value);
        let path = self.path_of(key);
        self.mistakes
            .push(mistake(position(node.referenced), &path, message));
    }

    fn path_of(&self, key: &str) -> String {
        join(&self.path, key)
    }
}

/// Which half of an entry is wrong.
#[derive(Debug)]
pub(super) enum Wrong {
    /// The key; the text says why.
    Key(String),
    /// The value; the text says what it should have been.
    Value(Expected),
}

fn entries_of<'a>(
    path: &str,
    node: &'a Node,
    mistakes: &mut Vec<Mistake>,
) -> &'a [(Spanned<String>, Node)] {
    match &node.value {
        Value::Map(entries) => entries,
        Value::Null => &[],
        Value::Bool(_)
        | Value::Float(_)
        | Value::Integer(_)
        | Value::Sequence(_)
        | Value::Text(_) => {
            let message = format!("expected keys with values, found {}", node.value);
            mistakes.push(mistake(position(node.referenced), path, message));
            &[]
        }
    }
}

fn mistake((line, column): (u64, u64), path: &str, message: String) -> Mistake {
    Mistake {
        line,
        column,
        key: path.to_owned(),
        message,
    }
}

fn join(path: &str, key: &str) -> String {
    let key = key.escape_debug();
    if path.is_empty() {
        key.to_string()
    } else {
        format!("{path}.{key}")
    }
}

fn unknown(key: &str, known: &[&'static str]) -> String {
    let alike = known
        .iter()
        .map(|candidate| (strsim::jaro_winkler(key, candidate), candidate))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|(a, _), (b, _)| a.total_cmp(b));
    match alike {
        Some((_, candidate)) => format!("is not a key here, did you mean `{candidate}`?"),
        None => format!("is not a key here, valid are {}", known.join(", ")),
    }
}

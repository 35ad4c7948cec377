//! Where in a body the text stands that is being read: kept as steps, written out only where something is found.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Longer names are cut; no rule names them.
const NAME: usize = 256;

/// The way from the body's root to a value.
#[derive(Debug)]
pub(crate) struct Trail {
    root: Cow<'static, str>,
    /// The field that holds the root itself.
    outer: Option<String>,
    /// The names of all steps, one behind the other.
    names: String,
    steps: Vec<Step>,
}

#[derive(Clone, Copy, Debug)]
struct Step {
    kind: Kind,
    /// Where the name begins in `names`.
    start: usize,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    /// Its name cannot be a field's: it is too long.
    Cut,
    Index(u64),
    Key,
    /// The name of a member, not its value.
    Name,
}

impl Trail {
    pub(crate) fn new(root: &'static str) -> Self {
        Self {
            root: Cow::Borrowed(root),
            outer: None,
            names: String::new(),
            steps: Vec::new(),
        }
    }

    /// From a place in something else.
    pub(crate) fn within(path: &str, field: Option<&str>) -> Self {
        Self {
            root: Cow::Owned(path.to_owned()),
            outer: field.map(str::to_owned),
            names: String::new(),
            steps: Vec::new(),
        }
    }

    /// What it begins with: the kind of place.
    pub(crate) fn root(&self) -> &str {
        &self.root
    }

    pub(crate) fn depth(&self) -> usize {
        self.steps.len()
    }

    pub(crate) fn enter(&mut self, name: &str) {
        let start = self.names.len();
        let kind = if name.len() > NAME {
            Kind::Cut
        } else {
            Kind::Key
        };
        let mut end = name.len().min(NAME);
        while !name.is_char_boundary(end) {
            end -= 1;
        }
        self.names.push_str(name.get(..end).unwrap_or_default());
        self.steps.push(Step { kind, start });
    }

    pub(crate) fn index(&mut self, index: u64) {
        let start = self.names.len();
        let kind = Kind::Index(index);
        self.steps.push(Step { kind, start });
    }

    /// The name itself of a member that is not known yet.
    pub(crate) fn name(&mut self) {
        let start = self.names.len();
        let kind = Kind::Name;
        self.steps.push(Step { kind, start });
    }

    /// The next element of the array whose index was entered last.
    pub(crate) fn next(&mut self) {
        if let Some(Step {
            kind: Kind::Index(index),
            ..
        }) = self.steps.last_mut()
        {
            *index += 1;
        }
    }

    pub(crate) fn leave(&mut self) {
        if let Some(step) = self.steps.pop() {
            self.names.truncate(step.start);
        }
    }

    pub(crate) fn back_to(&mut self, depth: usize) {
        while self.steps.len() > depth {
            self.leave();
        }
    }

    /// Whether rules about headers are about this place.
    pub(crate) fn is_header(&self) -> bool {
        self.root == "header:"
    }

    /// Whether what stands here is a name and no value.
    pub(crate) fn at_name(&self) -> bool {
        let last = self.steps.last().map(|step| step.kind);
        matches!(last, Some(Kind::Name))
    }

    /// The name of the field that holds the value: the nearest one above it.
    pub(crate) fn field(&self) -> Option<&str> {
        let mut end = self.names.len();
        for step in self.steps.iter().rev() {
            match step.kind {
                Kind::Cut | Kind::Name => return None,
                Kind::Index(_) => end = step.start,
                Kind::Key => {
                    let name = self.names.get(step.start..end)?;
                    return (!name.is_empty()).then_some(name);
                }
            }
        }
        self.outer.as_deref()
    }

    /// As findings and rules write it: `$.messages[0].content`, `form:name`, `$['a b']`.
    pub(crate) fn write(&self, out: &mut String) {
        out.push_str(&self.root);
        let mut ends = self.steps.iter().skip(1).map(|step| step.start);
        for (place, step) in self.steps.iter().enumerate() {
            let end = ends.next().unwrap_or(self.names.len());
            let name = self.names.get(step.start..end).unwrap_or_default();
            match step.kind {
                Kind::Index(index) => {
                    let _ = write!(out, "[{index}]");
                }
                Kind::Name => out.push_str(".~"),
                Kind::Cut | Kind::Key if place == 0 && self.root.ends_with(':') => {
                    out.push_str(name);
                }
                Kind::Cut | Kind::Key if plain(name) => {
                    out.push('.');
                    out.push_str(name);
                }
                Kind::Cut | Kind::Key => {
                    out.push_str("['");
                    for letter in name.chars() {
                        if matches!(letter, '\'' | '\\') {
                            out.push('\\');
                        }
                        out.push(letter);
                    }
                    out.push_str("']");
                }
            }
        }
    }
}

fn plain(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'$' | b'@'))
}

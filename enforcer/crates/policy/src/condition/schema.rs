//! JSON Schemas of bodies.

use enforcer_prompt::json::{Data, Value as Json};
use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

use crate::condition::Reader;
use crate::diagnostic::excerpt;
use crate::facts::Facts;
use crate::parse::tree::{self, Entry, Node, ScalarKind};
use crate::truth::{Stance, Truth};

/// A schema that a JSON body is to conform to.
#[derive(Debug)]
pub(crate) struct SchemaTest(Box<Validator>);

impl SchemaTest {
    pub(crate) fn read(entry: Entry<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let spot = entry.spot;
        if !matches!(entry.value.value, tree::Value::Map(_)) {
            let message = "`schema` takes a JSON Schema, written out as a map".to_owned();
            let hint = "write `schema: { type: object, required: [text] }`".to_owned();
            reader.findings.error(spot, message, Some(hint));
            return None;
        }
        let schema = to_json(&entry.value);
        // Patterns that take linear time only, since agents choose what they are matched with; nothing is fetched.
        let options = jsonschema::options().with_pattern_options(PatternOptions::regex());
        match options.build(&schema) {
            Ok(validator) => Some(Self(Box::new(validator))),
            Err(error) => {
                let place = error.instance_path().to_string();
                let at = locate(&entry.value, &place).unwrap_or(spot);
                let message = format!("no JSON Schema: {}", excerpt(&error.to_string()));
                let hint = match place.is_empty() {
                    true => None,
                    false => Some(format!("it is about `{}`", excerpt(&place))),
                };
                reader.findings.error(at, message, hint);
                None
            }
        }
    }

    pub(crate) fn judge(&self, facts: &Facts<'_, '_>, stance: Stance) -> Truth {
        facts.body().judge(Truth::No, |read| {
            let documents = read.body.documents();
            if documents.is_empty() {
                return Truth::No;
            }
            let judge = |root: &Json<'_>| Truth::of(self.0.is_valid(&from_body(root)));
            stance.over(documents.iter().map(|document| judge(document.root())))
        })
    }
}

/// Where in a node a JSON pointer leads to.
fn locate<'t>(node: &Node<'t>, pointer: &str) -> Option<crate::diagnostic::Spot<'t>> {
    let mut node = node;
    let mut spot = node.spot;
    for part in pointer.split('/').skip(1) {
        match &node.value {
            tree::Value::Map(entries) => {
                let entry = entries.iter().find(|entry| entry.key == part)?;
                (node, spot) = (&entry.value, entry.spot);
            }
            tree::Value::List(nodes) => {
                node = nodes.get(part.parse::<usize>().ok()?)?;
                spot = node.spot;
            }
            tree::Value::Null | tree::Value::Text(_) => return None,
        }
    }
    Some(spot)
}

/// What a node is as JSON: plain scalars that look like numbers or truth values are these.
pub(crate) fn to_json(node: &Node<'_>) -> Value {
    match &node.value {
        tree::Value::Null => Value::Null,
        tree::Value::List(nodes) => nodes.iter().map(to_json).collect(),
        tree::Value::Map(entries) => entries
            .iter()
            .map(|entry| (entry.key.to_string(), to_json(&entry.value)))
            .collect(),
        tree::Value::Text(text) => match node.scalar_kind() {
            ScalarKind::Quoted => Value::from(&**text),
            ScalarKind::Plain => plain(text),
        },
    }
}

fn plain(text: &str) -> Value {
    match text {
        "true" => Value::from(true),
        "false" => Value::from(false),
        text => {
            let numeric = text.starts_with(|c: char| c.is_ascii_digit() || c == '-');
            let number = numeric.then(|| serde_json::from_str::<serde_json::Number>(text).ok());
            number
                .flatten()
                .map_or_else(|| Value::from(text), Value::Number)
        }
    }
}

/// A value of a body.
pub(crate) fn from_body(value: &Json<'_>) -> Value {
    match value.data() {
        Data::Array(elements) => elements.iter().map(from_body).collect(),
        Data::Bool(truth) => Value::from(*truth),
        Data::Null => Value::Null,
        Data::Number(number) => {
            serde_json::from_str(number.as_str()).map_or(Value::Null, Value::Number)
        }
        Data::Object(members) => members
            .iter()
            .map(|member| (member.key().to_owned(), from_body(member.value())))
            .collect(),
        Data::String(text) => Value::from(&**text),
    }
}

//! Arguments of tools: what each is to be like.

use enforcer_prompt as prompt;
use enforcer_prompt::json::{Data, Document, Value as Json};

use crate::condition::Reader;
use crate::condition::range::{Range, Unit};
use crate::condition::text::TextTest;
use crate::condition::words::Words;
use crate::diagnostic::{Fault, excerpt};
use crate::facts::Facts;
use crate::parse::fields::{self, Fields};
use crate::parse::tree::{Entry, Value};
use crate::truth::{Fact, Stance, Truth};

/// Tests of arguments by their names; all must hold.
#[derive(Debug)]
pub(crate) struct Arguments {
    tests: Vec<(Place, Test)>,
}

/// Which argument.
#[derive(Debug)]
enum Place {
    /// Every string in them, wherever it is.
    Any,
    /// By name, and by names inside of it.
    At(Vec<Box<str>>),
}

#[derive(Debug)]
enum Test {
    /// Text in it.
    Text(TextTest),
    /// A number within bounds.
    Number(Range),
    /// A path below one of these folders, or below none of them.
    Within {
        folders: Vec<Vec<Box<str>>>,
        outside: bool,
    },
    /// One of some words, or none of them.
    Words(Words),
}

impl Arguments {
    pub(crate) fn read(entry: Entry<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let spot = entry.spot;
        let Value::Map(entries) = entry.into_value().value else {
            let message = "`arguments` takes a map of arguments and what they are to be".to_owned();
            let hint = "write `arguments: { path: { within: /workspace } }`".to_owned();
            reader.findings.error(spot, message, Some(hint));
            return None;
        };
        let mut tests = Vec::with_capacity(entries.len());
        for entry in entries {
            let place = match &*entry.key {
                "*" => Place::Any,
                key => Place::At(key.split('.').map(Into::into).collect()),
            };
            tests.push((place, Test::read(entry, reader)?));
        }
        Some(Self { tests })
    }

    pub(crate) fn judge(
        &self,
        arguments: Fact<&prompt::Arguments<'_>>,
        facts: &Facts<'_, '_>,
        stance: Stance,
    ) -> Truth {
        arguments.judge(self.judge_value(None, facts, stance), |arguments| {
            with_value(arguments, |value| {
                self.judge_value(Some(value), facts, stance)
            })
            .unwrap_or(Truth::Unknown)
        })
    }

    fn judge_value(
        &self,
        value: Option<&Json<'_>>,
        facts: &Facts<'_, '_>,
        stance: Stance,
    ) -> Truth {
        let judge = |(place, test): &(Place, Test)| match (place, value) {
            (Place::Any, None) => Truth::No,
            (Place::Any, Some(value)) => {
                let mut strings = Vec::new();
                value.strings(&mut |text| strings.push(text));
                let judged = strings
                    .into_iter()
                    .map(|text| test.text(text, facts, stance));
                stance.over(judged)
            }
            (Place::At(names), value) => {
                let found = value
                    .and_then(|value| names.iter().try_fold(value, |value, name| value.get(name)));
                test.judge(found, facts, stance)
            }
        };
        self.tests.iter().map(judge).fold(Truth::Yes, Truth::and)
    }
}

/// Lends arguments as a value; none when they are text that is not JSON.
pub(crate) fn with_value<T>(
    arguments: &prompt::Arguments<'_>,
    lend: impl FnOnce(&Json<'_>) -> T,
) -> Option<T> {
    match arguments {
        prompt::Arguments::Value(value) => Some(lend(value)),
        prompt::Arguments::Text(text) => {
            let limits = prompt::Limits::default();
            let document = Document::parse(text.as_bytes(), &limits).ok()?;
            Some(lend(document.root()))
        }
    }
}

// === impl Test ===

impl Test {
    fn read(entry: Entry<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let Value::Map(entries) = &entry.value.value else {
            return Words::read(entry, reader).map(Self::Words);
        };
        let has = |keys: &[&str]| entries.iter().any(|entry| keys.contains(&&*entry.key));
        if has(&TextTest::KEYS) {
            return TextTest::read(entry, &[], reader).map(Self::Text);
        }
        if has(&Range::KEYS) {
            return Range::read(entry, Unit::Fraction, reader).map(Self::Number);
        }
        if has(&["within", "outside"]) {
            return Self::read_paths(entry, reader);
        }
        Words::read(entry, reader).map(Self::Words)
    }

    fn read_paths(entry: Entry<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let spot = entry.spot;
        let known = ["within", "outside"];
        let mut map = Fields::open(entry.into_value(), "a path's test", &known, reader.findings)?;
        let (within, outside) = (map.take("within"), map.take("outside"));
        let (entry, outside) = match (within, outside) {
            (Some(entry), None) => (entry, false),
            (None, Some(entry)) => (entry, true),
            (Some(_), Some(_)) | (None, None) => {
                let message = "`within` and `outside` exclude each other".to_owned();
                reader.findings.error(spot, message, None);
                return None;
            }
        };
        let mut folders = Vec::new();
        for text in fields::texts(entry, reader.findings).values {
            match resolve(&text.text) {
                Some(folder) => folders.push(folder.into_iter().map(Into::into).collect()),
                None => {
                    let fault = Fault::new(format!("`{}` is no folder", excerpt(&text.text)));
                    let fault = fault.with_hint("folders begin with `/`");
                    reader.findings.fault(text.spot, fault);
                }
            }
        }
        Some(Self::Within { folders, outside })
    }

    /// Judges an argument, which may not be there. A list is judged by its elements.
    fn judge(&self, value: Option<&Json<'_>>, facts: &Facts<'_, '_>, stance: Stance) -> Truth {
        let Some(value) = value else {
            return self.absent();
        };
        match (self, value.data()) {
            (_, Data::Array(elements)) => {
                let judged = elements
                    .iter()
                    .map(|element| self.judge(Some(element), facts, stance));
                stance.over(judged)
            }
            (Self::Number(range), Data::Number(number)) => range.judge(number.as_f64()),
            (Self::Number(_), _) => Truth::Unknown,
            (_, Data::String(text)) => self.text(text, facts, stance),
            (_, Data::Bool(truth)) => self.text(&truth.to_string(), facts, stance),
            (_, Data::Null) => self.text("null", facts, stance),
            (_, Data::Number(number)) => self.text(number.as_str(), facts, stance),
            (_, Data::Object(_)) => Truth::Unknown,
        }
    }

    fn text(&self, text: &str, facts: &Facts<'_, '_>, stance: Stance) -> Truth {
        match self {
            Self::Text(test) => test.judge(&facts.search(text)),
            Self::Number(range) => text
                .parse::<f64>()
                .map_or(Truth::Unknown, |number| range.judge(number)),
            Self::Within { folders, outside } => match resolve(text) {
                None => Truth::Unknown,
                Some(path) => {
                    let below = |folder: &Vec<Box<str>>| {
                        path.len() >= folder.len()
                            && folder.iter().zip(&path).all(|(own, part)| **own == **part)
                    };
                    Truth::of(folders.iter().any(below) != *outside)
                }
            },
            Self::Words(words) => words.judge(text, stance),
        }
    }

    fn absent(&self) -> Truth {
        match self {
            Self::Text(_) | Self::Number(_) | Self::Within { .. } => Truth::No,
            Self::Words(words) => words.absent(),
        }
    }
}

/// The parts of an absolute path, with `.` and `..` resolved. None for what is no such path, or means more than it says.
fn resolve(path: &str) -> Option<Vec<&str>> {
    let odd = |c: char| c.is_control() || matches!(c, '\\' | '~' | '$' | '`' | '*' | '?');
    let rest = path.strip_prefix('/')?;
    if path.contains(odd) {
        return None;
    }
    let mut parts = Vec::new();
    for part in rest.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    Some(parts)
}

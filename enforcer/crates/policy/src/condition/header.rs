//! Headers of the request, by name.

use http::HeaderName;

use crate::compile::sieve::{Field, Key};
use crate::condition::Reader;
use crate::condition::words::Words;
use crate::diagnostic::excerpt;
use crate::facts::Facts;
use crate::parse::tree::{Entry, Value};
use crate::truth::{Stance, Truth};

/// What headers are to be like; all that are named must be.
#[derive(Debug)]
pub(crate) struct HeaderTest(Vec<(HeaderName, Words)>);

impl HeaderTest {
    pub(crate) fn read(entry: Entry<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let spot = entry.spot;
        let Value::Map(entries) = entry.into_value().value else {
            let message = "`header` takes a map of names and values".to_owned();
            let hint = "write `header: { x-team: [search, ads] }`; `\"*\"` is any value, `{ not: \"*\" }` none";
            reader.findings.error(spot, message, Some(hint.to_owned()));
            return None;
        };
        let mut tests = Vec::with_capacity(entries.len());
        for entry in entries {
            match HeaderName::from_bytes(entry.key.as_bytes()) {
                Ok(name) => tests.push((name, Words::read(entry, reader)?)),
                Err(_) => {
                    let message = format!("`{}` cannot be a header's name", excerpt(&entry.key));
                    reader.findings.error(entry.spot, message, None);
                    return None;
                }
            }
        }
        Some(Self(tests))
    }

    /// What it can be found by.
    pub(crate) fn keys(&self, keys: &mut Vec<Key>) {
        for (name, words) in &self.0 {
            // Without the header nothing holds that does not want it gone.
            if words.absent() != Truth::No {
                continue;
            }
            keys.push(Key::new(Field::Headers, [name.as_str()].into_iter()));
            if let Some(values) = words.exactly() {
                keys.push(Key::new(Field::Header(name.as_str().into()), values));
            }
        }
    }

    pub(crate) fn judge(&self, facts: &Facts<'_, '_>, stance: Stance) -> Truth {
        let Some(headers) = facts.request().and_then(|request| request.headers) else {
            return Truth::Unknown;
        };
        let judge = |(name, words): &(HeaderName, Words)| {
            let mut values = headers.get_all(name).iter().peekable();
            if values.peek().is_none() {
                return words.absent();
            }
            stance.over(values.map(|value| match value.to_str() {
                Ok(value) => words.judge(value.trim(), stance),
                Err(_) => Truth::Unknown,
            }))
        };
        self.0.iter().map(judge).fold(Truth::Yes, Truth::and)
    }
}
